import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, realpathSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { removeTree } from '../../src/fs/remove-tree.js';

export const isRoot = process.geteuid?.() === 0;

/** A folder of its own for a test, as a real path, open to all; removed after it. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'bkp-test-')));
  chmodSync(folder, 0o777);
  onTestFinished(() => removeTree(folder));
  return folder;
}

/** Runs something with the rights of a user who is nobody; as we are, where we are not root. */
export function unprivileged<T>(action: () => T): T {
  if (!isRoot) return action();
  process.seteuid?.(65534);
  try {
    return action();
  } finally {
    process.seteuid?.(0);
  }
}

export async function unprivilegedAsync<T>(action: () => Promise<T>): Promise<T> {
  if (!isRoot) return action();
  process.seteuid?.(65534);
  try {
    return await action();
  } finally {
    process.seteuid?.(0);
  }
}

/** Within that: looks at something with all rights again, where we have them. */
export function asOurselves<T>(action: () => T): T {
  const user = process.geteuid?.();
  if (process.getuid?.() !== 0 || user === undefined || user === 0) return action();
  process.seteuid?.(0);
  try {
    return action();
  } finally {
    process.seteuid?.(user);
  }
}

/** A file system of this many bytes (and inodes), or undefined where we may not mount one. */
export function tinyFileSystem(bytes: number, inodes?: number): string | undefined {
  if (!isRoot) return undefined;
  const folder = temporaryFolder();
  const limits = `size=${bytes}${inodes === undefined ? '' : `,nr_inodes=${inodes}`}`;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', limits, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]));
  return folder;
}

/** A folder on another file system than temporary ones, or undefined where there is none to be had. */
export function otherFileSystem(): string | undefined {
  const mounted = tinyFileSystem(32 * 1024 * 1024);
  if (mounted !== undefined) return mounted;
  const other = ['/dev/shm', '/var/tmp'].find((path) => {
    const found = statSync(path, { throwIfNoEntry: false });
    return found !== undefined && found.dev !== statSync(tmpdir()).dev;
  });
  if (other === undefined) return undefined;
  const folder = mkdtempSync(join(other, 'bkp-test-'));
  onTestFinished(() => removeTree(folder));
  return folder;
}

/** Names that file systems take and programs stumble over. */
export const oddNames: readonly string[] = [
  ' leading and trailing ',
  'quote\'s and "quotes"',
  'new\nline',
  'tab\tand\u0007bell',
  'back\\slash',
  'emoji 🦊',
  'nfd e\u0301',
  'nfc \u00e9',
  'A',
  'a',
  '-dash',
  '*glob?[x]{y}',
  '%41',
  '$HOME',
  'real \ufffd',
  '\ufeffbom',
  'x'.repeat(255),
  'é'.repeat(127),
  '__proto__',
];
