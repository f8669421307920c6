import { parseEnvironment } from '../config/environment.js';
import { globFault } from '../config/path-rules.js';
import type { CreateRequest } from '../operations/create-request.js';
import type { CreateOptions } from './create.js';
import { wantedEncryption, type WantedEncryption } from './create-encryption.js';
import { beginStream, destinationOf, wantedOutput } from './create-output.js';
import type { GlobalOptions } from './global-options.js';
import { loadInstance, refuseNothing, tellInstance, type Instance } from './instance.js';
import type { CommandDeps } from './job.js';
import type { BackupExtras } from './make-backup.js';
import { passphraseFlags } from './passphrase-options.js';
import { scheduledArguments } from './scheduled-arguments.js';
import { selectSources } from './select-sources.js';
import { namesOf, usageError } from './usage.js';

export interface CreateArguments {
  readonly request: CreateRequest;
  /** Undefined: not encrypted. */
  readonly encryption: WantedEncryption | undefined;
  readonly instance: Instance;
  readonly scheduled?: NonNullable<BackupExtras['scheduled']>;
}

/** What is to be backed up and how, from flags and configuration. Throws `usage` where they cannot be meant so. */
export async function createArguments(
  options: CreateOptions,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<CreateArguments> {
  if (options.schedule !== undefined) return scheduledArguments(options.schedule, options, globals, deps);
  refuseUnscheduled(options);
  const output = wantedOutput(options);
  if (output.kind !== 'none' && options.lock === true) {
    throw usageError('--lock and --output contradict each other', 'Only backups in the storage are locked.');
  }
  const writes = options.dryRun !== true;
  // As early as it is known: faults of the configuration are to be told where they do not end up in the archive.
  const streams = output.kind === 'stream' || (output.kind === 'none' && isReadOnlyByVariable(deps));
  if (writes && streams) beginStream(options, deps);
  const comment = options.comment === undefined ? undefined : checkedComment(options.comment);
  const excludes = checkedGlobs(options.exclude ?? []);
  const { format, level } = options;
  const instance = await loadInstance(globals, deps, { format, level, ...passphraseFlags(options) });
  const { config, storage } = instance;
  await refuseNothing(config);
  const destination = destinationOf(output, config, storage, deps);
  if (writes && !streams && destination.kind === 'stream') beginStream(options, deps);
  tellInstance(config, deps);
  const encryption = wantedEncryption(options, config, destination.container);
  const only = namesOf(options.only, '--only');
  const { sources, leftOut } = selectSources(config.sources, { only, scopes: scopesOf(options) });
  const request = {
    instance: config.instance,
    root: config.root,
    sources,
    others: config.sources.filter((source) => !sources.includes(source)),
    leftOut,
    excludes: [...config.exclude, ...excludes],
    destination,
    level: config.level,
    maxPause: config.maxPause,
    origin: 'manual',
    comment,
    lockWait: config.lockWait,
    quickCheck: options.quickCheck === true,
    full: options.full === true,
  };
  return { request, encryption, instance };
}

function refuseUnscheduled({ prune }: CreateOptions): void {
  if (prune === false)
    throw usageError('--no-prune is for --schedule: a backup made by hand removes nothing', 'Leave it out.');
}

const isReadOnlyByVariable = ({ env }: CommandDeps): boolean => parseEnvironment(env).values.readOnly === true;

function scopesOf(options: CreateOptions): ReadonlyMap<string, boolean> {
  const { databases, snapshots, uploads, withConfig } = options;
  const said = Object.entries({ databases, snapshots, uploads, config: withConfig });
  return new Map(said.flatMap(([scope, on]) => (on === undefined ? [] : [[scope, on] as const])));
}

export function checkedGlobs(globs: readonly string[]): readonly string[] {
  const fault = globs.map(globFault).find((found) => found !== undefined);
  if (fault === undefined) return globs;
  throw usageError(`--exclude ${fault}`, 'It is matched against source/path, as in "uploads/**/*.tmp".');
}

const longestComment = 1000;

export function checkedComment(comment: string): string {
  if (comment.trim() !== '' && comment.length <= longestComment && !/\p{Cc}/u.test(comment)) return comment;
  throw usageError(
    '--comment must be a text of one line',
    `Give up to ${longestComment} characters, without line ends or other control characters.`,
  );
}
