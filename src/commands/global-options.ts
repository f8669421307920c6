import { Option, type Command } from 'commander';

/** What every command takes, before or after its name. */
export interface GlobalOptions {
  readonly root: string | undefined;
  readonly config: string | undefined;
  readonly storage: string | undefined;
  readonly lockWait: string | undefined;
  readonly allowUnsafeConfig: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  /** How often. */
  readonly verbose: number;
  readonly color: boolean;
  readonly progress: boolean;
  readonly input: boolean;
}

const oneMore = (_value: unknown, before: number | undefined): number => (before ?? 0) + 1;

const globalFlags = (): readonly Option[] => [
  new Option('-C, --root <dir>', 'folder of the instance (default: found from the working folder upward)'),
  new Option('-c, --config <file>', 'configuration file'),
  new Option('--storage <dir>', 'where the backups lie'),
  new Option('--json', 'JSON lines on standard output, for programs'),
  new Option('-q, --quiet', 'tell nothing but errors'),
  new Option('-v, --verbose', 'tell more; -vv with stacks of errors').argParser(oneMore),
  new Option('--no-color', 'no colours'),
  new Option('--no-progress', 'no progress bar'),
  new Option('--no-input', 'never ask'),
  new Option('--lock-wait <duration>', 'wait so long for another run (30s, 5m; default: not at all)'),
  new Option('--allow-unsafe-config', 'read a configuration that somebody else could have written'),
];

export function addGlobalOptions(command: Command): void {
  for (const flag of globalFlags()) command.addOption(flag.helpGroup('Global options:'));
  command.helpOption('-h, --help', 'show this help');
}

/** From behind the command's name and before it: what stands later wins, and `-v` counts wherever it stands. */
export function globalOptions(command: Command): GlobalOptions {
  const given = levelsOf(command);
  const text = (name: string): string | undefined =>
    given.map((options) => options[name]).find((value) => typeof value === 'string');
  const isOn = (name: string): boolean => given.some((options) => options[name] === true);
  /** `--no-…`: off where any says so. */
  const isLeftOn = (name: string): boolean => given.every((options) => options[name] !== false);
  const verbose = given.map((options) => options['verbose']).filter((times) => typeof times === 'number');
  return {
    root: text('root'),
    config: text('config'),
    storage: text('storage'),
    lockWait: text('lockWait'),
    allowUnsafeConfig: isOn('allowUnsafeConfig'),
    json: isOn('json'),
    quiet: isOn('quiet'),
    verbose: verbose.reduce((sum, times) => sum + times, 0),
    color: isLeftOn('color'),
    progress: isLeftOn('progress'),
    input: isLeftOn('input'),
  };
}

/** The options of a command and of those it belongs to, the command's own first. */
function levelsOf(command: Command): readonly Record<string, unknown>[] {
  const above = command.parent === null ? [] : levelsOf(command.parent);
  return [command.opts<Record<string, unknown>>(), ...above];
}
