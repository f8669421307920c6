import { BkpError } from '../base/errors.js';
import { suggestion } from '../config/fault.js';
import type { Source } from '../operations/source.js';
import { usageError } from './usage.js';

/** What was said of the sources on the command line. */
export interface Selection {
  /** Exactly these, by name. */
  readonly only: readonly string[] | undefined;
  /** Scopes turned on or off: `databases`, `snapshots`, `uploads`, `config`. */
  readonly scopes: ReadonlyMap<string, boolean>;
}

export interface Selected {
  /** In the order of the configuration, which is that of the archive. */
  readonly sources: readonly Source[];
  /** Names of the others. */
  readonly leftOut: readonly string[];
}

/** The sources of one backup: those that are on, changed by scope; or exactly those that are named, on or not. */
export function selectSources(sources: readonly Source[], { only, scopes }: Selection): Selected {
  if (only !== undefined) refuseContradiction(only, scopes);
  const isWanted = only === undefined ? byScope(scopes) : byName(sources, only);
  const selected = sources.filter(isWanted);
  if (selected.length === 0) throw nothingLeft(sources);
  return { sources: selected, leftOut: sources.filter((source) => !isWanted(source)).map(({ name }) => name) };
}

const byScope =
  (scopes: ReadonlyMap<string, boolean>) =>
  ({ scope, enabled }: Source): boolean =>
    scopes.get(scope) ?? enabled;

function byName(sources: readonly Source[], only: readonly string[]): (source: Source) => boolean {
  const names = sources.map(({ name }) => name);
  const unknown = only.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    const meant = unknown.map((name) => suggestion(name, names)).find((name) => name !== undefined);
    const help = meant === undefined ? '' : `Did you mean ${meant}? `;
    throw new BkpError('source-unknown', `there is no source ${unknown.join(', ')} in the configuration`, {
      hint: `${help}The sources are: ${names.join(', ')}.`,
    });
  }
  return ({ name }) => only.includes(name);
}

function refuseContradiction(only: readonly string[], scopes: ReadonlyMap<string, boolean>): void {
  const [scope] = scopes;
  if (scope === undefined) return;
  const flag = scope[0] === 'config' ? '--with-config' : `--${scope[1] ? '' : 'no-'}${scope[0]}`;
  throw usageError(
    `--only and ${flag} contradict each other: --only names all that is backed up`,
    `Leave one of them out; you named: ${only.join(', ')}.`,
  );
}

function nothingLeft(sources: readonly Source[]): BkpError {
  const names = sources.map(({ name, scope, enabled }) => `${name} (${scope}${enabled ? '' : ', off'})`);
  return usageError(
    'nothing is left to back up: every source is turned off',
    names.length === 0 ? 'Name some under `sources` in .backuprc.' : `The sources are: ${names.join(', ')}.`,
  );
}
