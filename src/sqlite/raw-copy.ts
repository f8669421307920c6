import { constants, lstatSync } from 'node:fs';
import { open, rm, stat, type FileHandle } from 'node:fs/promises';
import { errorText, ioError, systemCode } from '../base/errors.js';
import { inaccessible } from './database-file.js';
import { fileId, type HeldFiles } from './held-files.js';
import type { RawFile } from './protocol.js';

/** The files that together are a database. `-shm` is an index SQLite rebuilds. */
const suffixes = ['', '-wal', '-journal'] as const;

/** Copies are made again where the files changed meanwhile. */
const attempts = 3;

const chunkBytes = 1024 * 1024;

const zeros = Buffer.alloc(chunkBytes);

export type RawCopy =
  /** `steady`: none of the files changed while they were read. */
  | { readonly kind: 'copied'; readonly files: readonly RawFile[]; readonly steady: boolean }
  | { readonly kind: 'missing' | 'unreadable'; readonly reason: string };

/**
 * Copies a database's bytes and its sidecars', without SQLite and without locks, to `destination` and its suffixes
 * (replacing what lies there), synced. No connection to it may be open in this process. Throws only where writing fails.
 */
export async function copyRaw(source: string, destination: string, held: HeldFiles): Promise<RawCopy> {
  for (let attempt = 1; ; attempt++) {
    await removeDatabase(destination);
    const before = await fingerprint(source);
    const copy = await copyOnce(source, destination, held);
    if (copy.kind !== 'copied') {
      await removeDatabase(destination);
      return copy;
    }
    const steady = before === (await fingerprint(source));
    if (steady || attempt === attempts) return { ...copy, steady };
  }
}

/** Removes a copy made by us, with whatever lies beside it. */
export async function removeDatabase(path: string): Promise<void> {
  for (const suffix of [...suffixes, '-shm']) await rm(`${path}${suffix}`, { force: true });
}

async function copyOnce(source: string, destination: string, held: HeldFiles): Promise<RawCopy & { steady?: boolean }> {
  const files: RawFile[] = [];
  for (const suffix of suffixes) {
    // SQLite makes no links, and what one leads to is no part of the database.
    if (suffix !== '' && isLink(`${source}${suffix}`)) continue;
    try {
      const path = `${destination}${suffix}`;
      files.push({ suffix, path, bytes: await copyBytes(`${source}${suffix}`, path, held) });
    } catch (error) {
      if (!(error instanceof ReadFailure)) throw error;
      const { kind, reason } = inaccessible(`${source}${suffix}`, error.cause);
      if (kind === 'missing' && suffix !== '') continue;
      return { kind, reason };
    }
  }
  return { kind: 'copied', files, steady: false };
}

/** The source's fault, as opposed to the destination's. */
class ReadFailure extends Error {
  constructor(cause: unknown) {
    super(errorText(cause), { cause });
  }
}

async function reading<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw systemCode(error) === undefined ? error : new ReadFailure(error);
  }
}

async function writing<T>(path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw ioError('writing', path, error);
  }
}

async function copyBytes(from: string, to: string, held: HeldFiles): Promise<number> {
  await reading(async () => {
    held.assertFree(fileId(await stat(from, { bigint: true })), from);
  });
  // Not blocking: a pipe that lies where a sidecar should has no bytes, and is not waited for.
  const input = await reading(() => open(from, constants.O_RDONLY | constants.O_NONBLOCK));
  try {
    const output = await writing(to, () => open(to, 'wx', 0o600));
    try {
      return await pump(input, output, to);
    } finally {
      await output.close();
    }
  } finally {
    await input.close();
  }
}

async function pump(input: FileHandle, output: FileHandle, to: string): Promise<number> {
  const chunk = Buffer.alloc(chunkBytes);
  let position = 0;
  for (;;) {
    const { bytesRead } = await reading(() => input.read(chunk, 0, chunk.length, position));
    if (bytesRead === 0) break;
    const piece = chunk.subarray(0, bytesRead);
    // Holes stay holes: a sparse file of terabytes takes a line to make.
    if (!piece.equals(zeros.subarray(0, bytesRead))) await writing(to, () => writeAt(output, piece, position));
    position += bytesRead;
  }
  await writing(to, () => output.truncate(position));
  await writing(to, () => output.sync());
  return position;
}

async function writeAt(output: FileHandle, piece: Buffer, position: number): Promise<void> {
  for (let done = 0; done < piece.length;) {
    done += (await output.write(piece, done, piece.length - done, position + done)).bytesWritten;
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

async function fingerprint(source: string): Promise<string> {
  const parts = await Promise.all(suffixes.map((suffix) => statOf(`${source}${suffix}`)));
  return parts.join(' ');
}

async function statOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(':');
  } catch (error) {
    return systemCode(error) ?? errorText(error);
  }
}
