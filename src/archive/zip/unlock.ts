import { manifestName, sumsName } from '../archive.js';
import { Window } from '../window.js';
import type { ZipEntry } from './zip-entry.js';
import { sealOf } from './entry-seal.js';
import { LargeOpening } from './large-opening.js';
import type { ZipListing } from './listing.js';
import { placeEntry } from './local-entry.js';
import type { Unlocked } from './unlocked.js';
import type { ByteSource } from '../../base/byte-source.js';
import { ArchiveDamage } from '../../base/damage.js';
import { blockSize } from '../../base/limits.js';
import type { Compressor } from '../../compress/compressor.js';
import type { SharedSecret } from '../../compress/shared-secret.js';

/** Entries beside the two proving ones whose verifiers are looked at. */
const sampled = 6;
/** An entry larger than this is not read to find out whether the passphrase is right. */
const maxProvenBytes = 64 * blockSize;

export interface Locked {
  readonly source: ByteSource;
  readonly pool: Compressor;
  readonly listing: ZipListing;
  /** Where entries must end. */
  readonly limit: number;
}

/**
 * Whether this is the passphrase that an archive was encrypted with. A verifier has two bytes: another passphrase fits one
 * by chance in 65,536, and a damaged entry fits none. So several entries are asked, and an HMAC decides where they differ.
 * Throws `ArchiveDamage` where none of them can be asked.
 */
export async function opens(locked: Locked, secret: SharedSecret): Promise<boolean> {
  // Keys that are known already would not show what the passphrase gives.
  const unlocked = { secret, keys: undefined };
  const fitting: LargeOpening[] = [];
  let misfits = 0;
  let unreadable: ArchiveDamage | undefined;
  try {
    for (const entry of await sampleOf(locked.listing)) {
      const asked = await askEntry(entry, locked, unlocked);
      if (asked instanceof LargeOpening) fitting.push(asked);
      else if (asked.id === 'authentication-failed') misfits += 1;
      else unreadable ??= asked;
    }
    const small = fitting.filter(({ length }) => length <= maxProvenBytes).sort((a, b) => a.length - b.length);
    for (const opening of small) if (await isAuthentic(opening, locked.source)) return true;
    if (fitting.length + misfits === 0 && unreadable !== undefined) throw unreadable;
    // Nothing agrees that could: one verifier alone fits by chance, several are a damaged archive.
    return fitting.length > 1 || (fitting.length === 1 && misfits === 0);
  } finally {
    for (const opening of fitting) opening.forget();
  }
}

/** The two proving entries, and some from all over the archive. */
async function sampleOf(listing: ZipListing): Promise<readonly ZipEntry[]> {
  const { sealed } = listing.survey;
  const wanted = new Set(Array.from({ length: sampled }, (_, index) => Math.floor((index * sealed) / sampled)));
  const spread: ZipEntry[] = [];
  let proofs: ZipEntry[] = [];
  let number = 0;
  for await (const entries of listing.entries()) {
    for (const entry of entries) {
      if (sealOf(entry) === undefined) continue;
      if (wanted.has(number)) spread.push(entry);
      const { path } = entry.header;
      if (path === manifestName || path === sumsName) proofs = [...proofs, entry].slice(-2);
      number += 1;
    }
  }
  return [...new Set([...proofs, ...spread])];
}

/** An entry whose verifier fits; else what is wrong with it, `authentication-failed` where that does not fit. */
async function askEntry(
  entry: ZipEntry,
  { source, pool, limit }: Locked,
  unlocked: Unlocked,
): Promise<LargeOpening | ArchiveDamage> {
  try {
    const { dataStart } = await placeEntry(new Window(source), entry, limit);
    return await LargeOpening.begin({ source, entry, dataStart }, pool, unlocked);
  } catch (error) {
    if (error instanceof ArchiveDamage) return error;
    throw error;
  }
}

async function isAuthentic(opening: LargeOpening, source: ByteSource): Promise<boolean> {
  if (opening.length < 0) return false;
  try {
    for (let at = 0; at < opening.length; at += blockSize) {
      opening.seen(await source.read(opening.start + at, Math.min(blockSize, opening.length - at)));
    }
    await opening.prove();
    return true;
  } catch (error) {
    if (error instanceof ArchiveDamage) return false;
    throw error;
  }
}
