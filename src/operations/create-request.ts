import type { Passphrase } from '../base/passphrase.js';
import type { Destination } from './backup-destination.js';
import type { RunHooks } from './run-hooks.js';
import type { Source } from './source.js';

/** Everything in the backup that has content is encrypted with AES-256. */
export interface BackupEncryption {
  /** Its giver's to forget, when the operation has ended. */
  readonly passphrase: Passphrase;
  /** Where it is kept; readable without it. */
  readonly hint: string | undefined;
}

/** What a backup is to hold and how. Checked; paths absolute. */
export interface CreateRequest {
  readonly instance: string;
  /** A real path. */
  readonly root: string;
  /** Those to back up, in archive order. */
  readonly sources: readonly Source[];
  /** Configured sources that this backup leaves out: cut out of those around them all the same. */
  readonly others?: readonly Source[];
  /** Names of configured sources that this backup leaves out by choice. */
  readonly leftOut: readonly string[];
  /** Globs matched against `source/path`. */
  readonly excludes: readonly string[];
  readonly destination: Destination;
  /** 0 (store) to 9 (smallest). */
  readonly level: number;
  /** Milliseconds. */
  readonly maxPause: number | 'none';
  /** `manual`, or a schedule's name. */
  readonly origin: string;
  /** Of the snapshots, only this project's are backed up: those sources say so themselves. */
  readonly project?: string | undefined;
  readonly comment: string | undefined;
  /** Milliseconds to wait for another run. */
  readonly lockWait: number;
  /** Read back the archive's bytes only, not every entry. */
  readonly quickCheck: boolean;
  /** Nothing is taken over from the backup before: every file is read and compressed. */
  readonly full: boolean;
  /** Only in a zip. */
  readonly encryption?: BackupEncryption;
  /** Around it, while the lock is held; what comes very last is the caller's (`withLastHooks`), who may have more to do. */
  readonly hooks?: RunHooks;
}
