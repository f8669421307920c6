import { Chalk, type ChalkInstance, type ColorSupportLevel } from 'chalk';

/** What a view for people may know of where it is shown. */
export interface Look {
  readonly chalk: ChalkInstance;
  /** Somebody looks at it; else another program or a file takes it. */
  readonly terminal: boolean;
  /** Columns. */
  readonly width: number;
  /** How often `-v` was given. */
  readonly verbose: number;
  /** `-q`: what is asked for, without anything beside it. */
  readonly quiet: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What is asked of a stream: standard output or error. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  getColorDepth?(env?: object): number;
}

/** Where no terminal tells. */
const usualWidth = 80;

/** A serial line, or a container without a size, tells 0. */
export const widthOf = ({ isTTY, columns = 0 }: Screen): number =>
  isTTY === true && columns > 0 ? columns : usualWidth;

/** Nothing but text can be drawn there. */
export const isDumb = (screen: Screen, env: Environment): boolean => screen.isTTY !== true || env['TERM'] === 'dumb';

/** chalk's level: `--no-color` over NO_COLOR (https://no-color.org: any text but the empty one) over FORCE_COLOR over the stream. */
export function colorLevel(screen: Screen, env: Environment, wanted: boolean): ColorSupportLevel {
  if (!wanted || (env['NO_COLOR'] ?? '') !== '') return 0;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forcedLevel(forced);
  if (isDumb(screen, env)) return 0;
  const depth = screen.getColorDepth?.(env) ?? 1;
  if (depth >= 24) return 3;
  if (depth >= 8) return 2;
  return depth >= 4 ? 1 : 0;
}

function forcedLevel(forced: string): ColorSupportLevel {
  if (forced === '0' || forced === 'false') return 0;
  if (forced === '2') return 2;
  return forced === '3' ? 3 : 1;
}

export const chalkFor = (level: ColorSupportLevel): ChalkInstance => new Chalk({ level });
