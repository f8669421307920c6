import type { Storage } from '../../storage/storage.js';
import type { Deps } from '../deps.js';
import type { Source } from '../source.js';
import type { DataScan } from './data-scan.js';

/** `warn`: works, but not as well as it could. `fail`: a backup or a restore would not do what it should. */
export type Verdict = 'ok' | 'warn' | 'fail';

/** What a check found. */
export interface Outcome {
  readonly verdict: Verdict;
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  readonly path?: string;
}

export type CheckDeps = Pick<Deps, 'clock' | 'signal'> & {
  /** Where programs are looked for: `PATH`. */
  readonly searchPath: string | undefined;
};

/** An instance as it is configured. Paths are absolute. */
export interface Instance {
  readonly instance: string;
  /** A real path. */
  readonly root: string;
  readonly configFile: string | undefined;
  /** What a backup that does not say otherwise holds. */
  readonly sources: readonly Source[];
  /** The others that are configured. */
  readonly others: readonly Source[];
  readonly leftOut: readonly string[];
  /** Globs matched against `source/path`. */
  readonly excludes: readonly string[];
  readonly storage: Storage;
  /** Milliseconds. */
  readonly maxPause: number | 'none';
  /** Where the passphrase is kept, if in a file. */
  readonly passphraseFile: string | undefined;
}

/** With what a backup of it would hold, looked at once for all checks. */
export interface Subject extends Instance {
  readonly scan: DataScan;
}

/** One thing that is looked at. Only looks: writes nothing, opens no database. Throws where it cannot even look. */
export interface Check<About> {
  /** Stable: part of the JSON contract. */
  readonly id: string;
  run(about: About, deps: CheckDeps): readonly Outcome[] | Promise<readonly Outcome[]>;
}

export const ok = (message: string, path?: string): Outcome => outcome('ok', message, undefined, path);
export const warn = (message: string, hint: string, path?: string): Outcome => outcome('warn', message, hint, path);
export const fail = (message: string, hint: string, path?: string): Outcome => outcome('fail', message, hint, path);

function outcome(verdict: Verdict, message: string, hint: string | undefined, path: string | undefined): Outcome {
  return { verdict, message, ...(hint === undefined ? {} : { hint }), ...(path === undefined ? {} : { path }) };
}
