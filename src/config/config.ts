import type { Container } from '../archive/archive.js';
import type { HookSettings } from '../operations/configured-hooks.js';
import type { Source } from '../operations/source.js';
import type { PassphraseSource } from './passphrase-source.js';
import type { NotifySettings } from '../system/notify.js';
import type { RetentionEntry } from './schema.js';

/** Who had the last word on a setting. The folder of a configuration file counts as `file`, a detected one as `default`. */
export type Origin = 'flag' | 'env' | 'file' | 'default';

/** Everything a command has to know about an instance: checked, with defaults filled in, paths absolute. */
export interface Config {
  readonly instance: string;
  /** A real path. */
  readonly root: string;
  readonly storage: string;
  readonly configFile: string | undefined;
  readonly sources: readonly Source[];
  /** Globs matched against `source/path`. */
  readonly exclude: readonly string[];
  readonly format: Container;
  /** 0 (store) to 9 (smallest). */
  readonly level: number;
  /** Milliseconds an application may have to wait while its databases are copied; `none`: any. */
  readonly maxPause: number | 'none';
  readonly encryption: {
    /** Of archives whose command line does not say otherwise. */
    readonly enabled: boolean;
    /** Where the passphrase is kept: written into the archives, readable to all. */
    readonly hint: string | undefined;
  };
  /** Undefined where nothing says where it comes from: then a person is asked. */
  readonly passphrase: PassphraseSource | undefined;
  /** Backups are streamed, nothing is kept in the storage. */
  readonly readOnly: boolean;
  /** Commands around a backup and a restore in place. */
  readonly hooks: HookSettings;
  /** Further folders that get a copy of every backup: absolute. */
  readonly copies: readonly string[];
  /** What is kept of schedules that do not say otherwise; undefined where nothing is said. */
  readonly retention: RetentionEntry | undefined;
  /** The monitor that hears of every run. */
  readonly notify: NotifySettings | undefined;
  /** Milliseconds to wait for another run's lock. */
  readonly lockWait: number;
  /** Never ask, even on a terminal. */
  readonly noInput: boolean;
  readonly origins: Readonly<Record<'root' | 'storage' | 'format' | 'level' | 'readOnly', Origin>>;
}
