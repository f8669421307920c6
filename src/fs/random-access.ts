import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { ByteSource } from '../base/byte-source.js';
import { ArchiveDamage } from '../base/damage.js';
import { BkpError, ioError, systemCode } from '../base/errors.js';
import { ownMemory } from '../base/own-memory.js';

/**
 * Opens a file for exact reads anywhere in it. Throws `file-not-found`, `usage` where it is no regular file, `io-failed`;
 * a read beyond its end (it became shorter, or was cut before it was opened) throws `ArchiveDamage`.
 */
export async function openByteSource(path: string): Promise<ByteSource> {
  const file = await openFile(path);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw notAFile(path);
    return new FileSource(path, stat.size, file);
  } catch (error) {
    await file.close();
    throw ioError('opening', path, error);
  }
}

class FileSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #file: FileHandle;

  constructor(name: string, size: number, file: FileHandle) {
    this.name = name;
    this.size = size;
    this.#file = file;
  }

  async read(position: number, length: number, into?: Buffer): Promise<Buffer> {
    // Asked before memory is taken: a damaged archive may ask for anything.
    if (position < 0 || length < 0 || position + length > this.size) throw this.#tooShort(position, length, this.size);
    const bytes = into !== undefined && into.length >= length ? into.subarray(0, length) : ownMemory(length);
    for (let done = 0; done < length;) {
      const bytesRead = await this.#readOnce(bytes, done, position + done);
      if (bytesRead === 0) throw this.#tooShort(position, length, position + done);
      done += bytesRead;
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #readOnce(bytes: Buffer, offset: number, position: number): Promise<number> {
    try {
      return (await this.#file.read(bytes, offset, bytes.length - offset, position)).bytesRead;
    } catch (error) {
      throw ioError('reading', this.name, error);
    }
  }

  #tooShort(position: number, length: number, end: number): ArchiveDamage {
    const wanted = `bytes ${position} to ${position + length} are needed`;
    return new ArchiveDamage('truncated', `${this.name} ends at byte ${end}, but ${wanted}`);
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    // A named pipe must not block; that it is one is seen once it is open.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENXIO') throw notAFile(path);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw ioError('opening', path, error);
    throw new BkpError('file-not-found', `there is no file ${path}`, {
      cause: error,
      path,
      hint: 'Check the path; `bkp list` shows the backups of a storage.',
    });
  }
}

function notAFile(path: string): BkpError {
  return new BkpError('usage', `${path} is not a regular file`, { path, hint: 'Name the file of an archive.' });
}
