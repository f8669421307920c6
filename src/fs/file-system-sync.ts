import { execFile } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { release } from 'node:os';
import { promisify } from 'node:util';
import { errorText, ioError } from '../base/errors.js';

const run = promisify(execFile);

/**
 * By `statfs` type: file systems that tell `syncfs` what failed to be written. overlayfs, for one, does not (Linux's
 * fs/overlayfs/super.c), and where there is no disk there is nothing to be gained.
 */
const tellingTypes = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0xf2f52010, // F2FS
]);

/**
 * Brings all that was written to the file system of a folder to the disk, by the `sync -f` of GNU coreutils: Node.js has no
 * `syncfs`. For many small files far quicker than an `fsync` of each. Undefined where that would not tell what failed: before
 * Linux 5.8 `syncfs` does not, nor do other programs of that name. The caller syncs each file then.
 */
export async function openFileSystemSync(folder: string): Promise<(() => Promise<void>) | undefined> {
  if (process.platform !== 'linux' || !isSince58(release())) return undefined;
  try {
    if (!tellingTypes.has(statfsSync(folder).type)) return undefined;
    if (!/\bGNU coreutils\b/.test((await run('sync', ['--version'])).stdout)) return undefined;
    // Shows that it can be done before anything depends on it, and takes failures that are older than what we write.
    await syncAt(folder);
  } catch {
    return undefined;
  }
  return async () => {
    try {
      await syncAt(folder);
    } catch (error) {
      throw ioError(
        'syncing the file system of',
        folder,
        new Error(toldBy(error), { cause: error }),
        'target-unwritable',
      );
    }
  };
}

const syncAt = (folder: string): Promise<unknown> =>
  run('sync', ['-f', '--', folder], { env: { ...process.env, LC_ALL: 'C' } });

function isSince58(text: string): boolean {
  const [major = 0, minor = 0] = text.split('.').map(Number);
  return major > 5 || (major === 5 && minor >= 8);
}

/** What the program said itself. */
function toldBy(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  return said === '' ? errorText(error) : said;
}
