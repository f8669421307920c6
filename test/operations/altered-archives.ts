import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { create, directory, expectRestored, instance, restore, verify } from '../helpers/instance.js';
import { temporaryFolder } from '../helpers/surroundings.js';
import { linkTo, withMeta } from '../helpers/tree.js';
import { encryption, withPassphrase } from './encrypted.js';
import type { Container } from '../../src/archive/archive.js';
import { BkpError } from '../../src/base/errors.js';
import type { AskPassphrase } from '../../src/base/passphrase.js';
import { ofKind, type FindingId } from '../../src/manifest/findings.js';
import { sideFileText, sideSuffix } from '../../src/manifest/side-file.js';
import type { VerifyResult } from '../../src/operations/verify-backup.js';

/** An archive of a few files, a link and an empty folder, and the folder it was made from. */
export interface SmallArchive {
  readonly container: Container;
  readonly bytes: Buffer;
  readonly sha256: string;
  readonly source: string;
  /** For the altered ones. */
  readonly scratch: string;
  /** What opens it. */
  readonly given: { readonly passphrase?: AskPassphrase };
  /** What an altered one may do besides being damaged: say of itself that it is something we do not open. */
  readonly refusals: readonly string[];
}

export async function smallArchive(container: Container, isEncrypted = false): Promise<SmallArchive> {
  const tree = {
    a: withMeta('stored', { mode: 0o640, mtime: 1_700_000_000_123_456_000n }),
    b: 'deflated '.repeat(9),
    e: {},
    l: linkTo('a'),
  };
  const from = await instance({ d: tree }, [directory('d')]);
  const options = { container, instance: 'i', ...(isEncrypted ? { encryption: encryption('p', undefined) } : {}) };
  const { file, sha256 } = await create(from, options, { host: 'h' });
  const made = {
    container,
    bytes: readFileSync(file),
    sha256,
    source: join(from.root, 'd'),
    scratch: temporaryFolder(),
  };
  // What is encrypted is proven before it can say anything.
  return isEncrypted
    ? { ...made, given: withPassphrase('p'), refusals: [] }
    : { ...made, given: {}, refusals: ['format-newer', 'encryption-unsupported'] };
}

/**
 * Proves that an altered archive is found out: always with its side file; without it, unless it restores to the very
 * same tree.
 */
export async function expectFoundOut(archive: SmallArchive, altered: Buffer): Promise<void> {
  const { sha256, source, given } = archive;
  await withFile(archive, altered, async (file) => {
    writeFileSync(`${file}${sideSuffix}`, sideFileText(sha256, basename(file)));
    const withSide = await verify(file, given);
    expect(withSide.verdict).toBe('damaged');
    expect(ids(withSide)).toContain('archive-checksum-mismatch');
    // What else was found was found without the side file's help.
    if (ofKind(withSide.findings, 'damage').length > 1) return;
    rmSync(`${file}${sideSuffix}`);
    const target = `${file}.restored`;
    if ((await verdictOf(file, archive)) === 'intact') {
      await restore(file, target, given);
      expectRestored(join(target, 'd'), source);
    } else await expect(restore(file, target, given)).rejects.toBeInstanceOf(BkpError);
  });
}

/** An archive that lacks its end, alone. */
export async function expectCutFoundOut(archive: SmallArchive, length: number): Promise<void> {
  await withFile(archive, archive.bytes.subarray(0, length), async (file) =>
    expect((await verify(file, archive.given)).verdict).toBe('damaged'),
  );
}

async function verdictOf(file: string, { given, refusals }: SmallArchive): Promise<string> {
  try {
    return (await verify(file, given)).verdict;
  } catch (error) {
    if (error instanceof BkpError && refusals.includes(error.id)) return error.id;
    throw error;
  }
}

export const ids = ({ findings }: Pick<VerifyResult, 'findings'>): readonly FindingId[] => findings.map(({ id }) => id);

let next = 0;

async function withFile({ scratch }: SmallArchive, bytes: Buffer, use: (file: string) => Promise<void>): Promise<void> {
  const place = join(scratch, String(next++));
  mkdirSync(place);
  // Its name says nothing: an archive is known by its first bytes.
  const file = join(place, 'archive');
  writeFileSync(file, bytes);
  await use(file);
  rmSync(place, { recursive: true });
}

/** Does all, a few at a time; tells which one failed. */
export async function forEachIndex(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      try {
        await work(index);
      } catch (error) {
        next = count;
        throw new Error(`at ${index}`, { cause: error });
      }
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, worker));
}

/** Another byte in place of the one at `index`: the bits of `mask` turned over. */
export function flipped(bytes: Buffer, index: number, mask: number): Buffer {
  const altered = Buffer.from(bytes);
  altered[index] = (altered[index] ?? 0) ^ mask;
  return altered;
}
