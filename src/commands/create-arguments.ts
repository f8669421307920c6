import { basename, resolve } from 'node:path';
import type { Container } from '../archive/archive.js';
import type { Config } from '../config/config.js';
import { globFault } from '../config/path-rules.js';
import type { Destination } from '../operations/backup-destination.js';
import type { CreateRequest } from '../operations/create-request.js';
import { containerOf, withoutEnding } from '../policy/backup-name.js';
import type { Storage } from '../storage/storage.js';
import type { CreateOptions } from './create.js';
import type { GlobalOptions } from './global-options.js';
import { openInstance } from './instance.js';
import type { CommandDeps } from './job.js';
import { selectSources } from './select-sources.js';
import { namesOf, usageError } from './usage.js';

/** What is to be backed up and how, from flags and configuration. Throws `usage` where they cannot be meant so. */
export async function createRequest(
  options: CreateOptions,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<CreateRequest> {
  const output = options.output === undefined ? undefined : outputFile(options.output);
  const comment = options.comment === undefined ? undefined : checkedComment(options.comment);
  const excludes = checkedGlobs(options.exclude ?? []);
  const { format, level } = options;
  const { config, storage } = await openInstance(globals, deps, { format, level });
  if (output !== undefined) refuseOtherFormat(output, format);
  const only = namesOf(options.only, '--only');
  const { sources, leftOut } = selectSources(config.sources, { only, scopes: scopesOf(options) });
  return {
    instance: config.instance,
    root: config.root,
    sources,
    others: config.sources.filter((source) => !sources.includes(source)),
    leftOut,
    excludes: [...config.exclude, ...excludes],
    destination: destinationOf(output, config, storage, deps.cwd),
    level: config.level,
    maxPause: config.maxPause,
    origin: 'manual',
    comment,
    lockWait: config.lockWait,
    quickCheck: options.quickCheck === true,
  };
}

function scopesOf(options: CreateOptions): ReadonlyMap<string, boolean> {
  const { databases, snapshots, uploads, withConfig } = options;
  const said = Object.entries({ databases, snapshots, uploads, config: withConfig });
  return new Map(said.flatMap(([scope, on]) => (on === undefined ? [] : [[scope, on] as const])));
}

interface OutputFile {
  readonly path: string;
  readonly container: Container;
}

function outputFile(path: string): OutputFile {
  if (path === '-') {
    throw usageError(
      '--output - (streaming to standard output) is not part of this version',
      'Name a file that ends in .zip or .tar.gz.',
    );
  }
  const name = basename(path);
  const container = containerOf(name);
  if (container === undefined || withoutEnding(name) === '' || path.endsWith('/')) {
    throw usageError(
      `--output ${path} does not say what format it is to have`,
      'Let its name end in .zip, .tar.gz or .tgz.',
    );
  }
  return { path, container };
}

function refuseOtherFormat({ path, container }: OutputFile, format: string | undefined): void {
  if (format === undefined || format === container) return;
  throw usageError(
    `--format ${format} contradicts the ending of --output ${path}`,
    'Leave --format out, or choose the ending that belongs to it: .zip, or .tar.gz.',
  );
}

function destinationOf(output: OutputFile | undefined, config: Config, storage: Storage, cwd: string): Destination {
  if (output === undefined) return { kind: 'storage', storage, container: config.format };
  return { kind: 'file', path: resolve(cwd, output.path), storage, container: output.container };
}

function checkedGlobs(globs: readonly string[]): readonly string[] {
  const fault = globs.map(globFault).find((found) => found !== undefined);
  if (fault === undefined) return globs;
  throw usageError(`--exclude ${fault}`, 'It is matched against source/path, as in "uploads/**/*.tmp".');
}

const longestComment = 1000;

function checkedComment(comment: string): string {
  if (comment.trim() !== '' && comment.length <= longestComment && !/\p{Cc}/u.test(comment)) return comment;
  throw usageError(
    '--comment must be a text of one line',
    `Give up to ${longestComment} characters, without line ends or other control characters.`,
  );
}
