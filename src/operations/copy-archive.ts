import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import type { ByteSource } from '../base/byte-source.js';
import { withCleanup } from '../base/cleanup.js';
import { ArchiveDamage } from '../base/damage.js';
import { BkpError, errorText, ioError, systemCode } from '../base/errors.js';
import { blockSize } from '../base/limits.js';
import { isSameFile } from '../fs/file-stat.js';
import { finding, type Finding } from '../manifest/findings.js';
import { parseSideFile, sideFileText, sideSuffix, maxSideBytes } from '../manifest/side-file.js';
import { LocalStorage } from '../storage/local-storage.js';
import type { Storage } from '../storage/storage.js';
import { publishInStorage } from './backup-destination.js';
import type { Deps } from './deps.js';
import { sweepStorage } from './sweep-storage.js';

export interface CopyRequest {
  readonly storage: Storage;
  /** The archive's file name in the storage. */
  readonly name: string;
  /** Of the archive as a file, as it was proven. */
  readonly sha256: string;
  /** Another folder, on another disk or machine: absolute. Has to exist. */
  readonly folder: string;
  /** Milliseconds to wait for another run in that folder. */
  readonly lockWait: number;
}

export type CopyResult =
  /** `present`: it lay there already, with the same bytes. */
  | { readonly kind: 'copied' | 'present'; readonly file: string }
  /** `copy-failed`; what lies in the storage is as it was. */
  | { readonly kind: 'failed'; readonly folder: string; readonly finding: Finding };

/**
 * Copies a finished archive and its side file to a further folder, where it gets its name only after it was read back and
 * compared with its checksum. Never makes that folder, and never replaces a file. Rejects only on abort.
 */
export async function copyArchive(request: CopyRequest, deps: Deps): Promise<CopyResult> {
  const { name, folder } = request;
  try {
    const kind = await copy(request, new LocalStorage(folder, { mustExist: true }), deps);
    const file = `${folder}/${name}`;
    deps.step('copied', kind === 'copied' ? `copied to ${file}, and read back` : `${file} was there already`);
    return { kind, file };
  } catch (error) {
    deps.signal.throwIfAborted();
    const isExpected = error instanceof BkpError || error instanceof ArchiveDamage || systemCode(error) !== undefined;
    if (!isExpected) throw error;
    const failed = finding('copy-failed', `no copy in ${folder}: ${errorText(error)}`, { path: name });
    deps.step('copy-failed', failed.message);
    return { kind: 'failed', folder, finding: failed };
  }
}

function copy(request: CopyRequest, target: LocalStorage, deps: Deps): Promise<'copied' | 'present'> {
  const { storage, name, sha256 } = request;
  return withCleanup(async (cleanup) => {
    await target.prepare();
    refuseSame(storage, target);
    const { clock, signal } = deps;
    const lock = await target.lock({ holder: 'copy', wait: request.lockWait, clock, signal });
    cleanup.defer(() => lock.release());
    await sweepStorage(target, deps);
    if ((await target.stat(name)) !== undefined) return isPresent(target, name, sha256, deps);
    const source = await storage.open(name);
    cleanup.defer(() => source.close());
    deps.progress.start('copy', source.size * 2);
    const partial = await target.createPartial(name);
    cleanup.defer(() => partial.discard());
    const read = await digest(source, deps, (bytes) => partial.write(bytes));
    if (read !== sha256) throw differs(`${storage.location}/${name}`, sha256, read);
    await partial.sync();
    const written = await digestOf(await partial.open(), deps);
    if (written !== sha256) throw differs(`what was written to ${target.folder}`, sha256, written);
    signal.throwIfAborted();
    await publishInStorage(target, partial, name, sha256);
    return 'copied';
  });
}

/** One of that name stays what it is; its side file may be missing where a run was killed. */
async function isPresent(target: LocalStorage, name: string, sha256: string, deps: Deps): Promise<'present'> {
  const found = await digestOf(await target.open(name), deps);
  if (found !== sha256) {
    throw new BkpError('output-exists', `another file ${name} is there already (${found}, not ${sha256})`);
  }
  const side = `${name}${sideSuffix}`;
  const text = (await target.readSide(side, maxSideBytes))?.toString();
  if (text === undefined || parseSideFile(text) !== sha256) {
    await target.writeSide(side, Buffer.from(sideFileText(sha256, name)));
  }
  return 'present';
}

async function digestOf(source: ByteSource, deps: Deps): Promise<string> {
  try {
    return await digest(source, deps, () => Promise.resolve());
  } finally {
    await source.close();
  }
}

async function digest(
  source: ByteSource,
  { signal, progress }: Deps,
  take: (bytes: Buffer) => Promise<void>,
): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < source.size; at += blockSize) {
    signal.throwIfAborted();
    const bytes = await source.read(at, Math.min(blockSize, source.size - at));
    hash.update(bytes);
    await take(bytes);
    progress.advance(bytes.length);
  }
  return hash.digest('hex');
}

function refuseSame({ folder }: Storage, target: LocalStorage): void {
  if (folder === undefined) return;
  let isSame: boolean;
  try {
    const [from, to] = [folder, target.folder].map((path) => statSync(path, { bigint: true }));
    isSame = from !== undefined && to !== undefined && isSameFile(from, to);
  } catch (error) {
    throw ioError('looking at', folder, error);
  }
  if (isSame) throw new BkpError('output-exists', 'it is the storage itself');
}

function differs(what: string, expected: string, found: string): BkpError {
  return new BkpError('read-back-failed', `${what} is not what was proven: expected ${expected}, found ${found}`);
}
