import { basename, resolve } from 'node:path';
import type { Container } from '../archive/archive.js';
import type { Config } from '../config/config.js';
import type { Destination } from '../operations/backup-destination.js';
import { containerOf, withoutEnding } from '../policy/backup-name.js';
import type { Storage } from '../storage/storage.js';
import type { CreateOptions } from './create.js';
import type { CommandDeps } from './job.js';
import { usageError } from './usage.js';

/** What `--output` says: nothing, standard output, or a file. */
export type WantedOutput =
  | { readonly kind: 'none' }
  | { readonly kind: 'stream' }
  | { readonly kind: 'file'; readonly path: string; readonly container: Container };

/** Throws `usage`. */
export function wantedOutput({ output: path, format }: CreateOptions): WantedOutput {
  if (path === undefined) return { kind: 'none' };
  if (path === '-') return { kind: 'stream' };
  const name = basename(path);
  const container = containerOf(name);
  if (container === undefined || withoutEnding(name) === '' || path.endsWith('/')) {
    throw usageError(
      `--output ${path} does not say what format it is to have`,
      'Let its name end in .zip, .tar.gz or .tgz.',
    );
  }
  if (format === 'zip' || format === 'tar.gz') refuseOtherFormat(path, container, format);
  return { kind: 'file', path, container };
}

function refuseOtherFormat(path: string, container: Container, format: Container): void {
  if (format === container) return;
  throw usageError(
    `--format ${format} contradicts the ending of --output ${path}`,
    'Leave --format out, or choose the ending that belongs to it: .zip, or .tar.gz.',
  );
}

/** `readOnly` of the configuration makes a stream of what would go into the storage. */
export function destinationOf(
  output: WantedOutput,
  config: Pick<Config, 'format' | 'readOnly'>,
  storage: Storage,
  { cwd, stdout }: Pick<CommandDeps, 'cwd' | 'stdout'>,
): Destination {
  if (output.kind === 'file') {
    return { kind: 'file', path: resolve(cwd, output.path), storage, container: output.container };
  }
  const container = config.format;
  if (output.kind === 'none' && !config.readOnly) return { kind: 'storage', storage, container };
  return { kind: 'stream', open: () => stdout.handOver(), file: stdout.file(), storage, container };
}

/** Standard output is for the archive: results go to standard error from here on. Throws `usage` where it cannot be meant so. */
export function beginStream({ output: path, quickCheck }: CreateOptions, { stdout, output }: CommandDeps): void {
  const isOwnWish = path === '-';
  const cause = isOwnWish ? '--output -' : 'read-only mode (readOnly, or BKP_READ_ONLY)';
  if (quickCheck === true) {
    throw usageError(
      `--quick-check and ${cause} contradict each other: of a stream nothing can be read back`,
      'Leave it out; `bkp verify` proves the archive where it has arrived.',
    );
  }
  if (stdout.isTerminal) {
    throw usageError(
      `an archive is never written to a terminal${isOwnWish ? '' : `, and ${cause} streams it to standard output`}`,
      'Send it somewhere: `bkp create -o - > site.zip`, or `bkp create -o - | ssh host "cat > site.zip"`.',
    );
  }
  if (!isOwnWish && stdout.isNowhere()) {
    throw usageError(
      `${cause} streams the archive to standard output, which leads to /dev/null: nothing would be kept`,
      'Send it somewhere: `bkp create > site.zip`.',
    );
  }
  output.divert();
}
