import type { ArchiveWriter } from '../../archive/archive.js';
import type { Walked } from '../../fs/walk.js';
import { entryHeader } from '../entry-header.js';
import { EarlierDamage } from './earlier-archive.js';
import type { Reuse } from './reuse.js';
import type { Passed } from './unchanged-files.js';
import type { PassedMember } from './unchanged-members.js';

/** Archives a file that did not change as the earlier archive has it; false where it is to be read: it is another, or damaged there. */
export async function addUnchanged(
  writer: ArchiveWriter,
  reuse: Reuse,
  source: string,
  { walked, known, packed, written }: Passed & { readonly walked: Extract<Walked, { kind: 'file' | 'directory' }> },
): Promise<boolean> {
  // What has no times to go by is a database's.
  if (known?.stat === undefined) return false;
  const { path, stat } = walked;
  const header = entryHeader(path, 'file', stat);
  if (packed !== undefined) {
    reuse.taking(path, known);
    reuse.countTaken(stat.size);
    await writer.add(header, {
      kind: 'packed',
      packed: known,
      bytes: packed,
      ...(written === undefined ? {} : { written }),
    });
    return true;
  }
  if (known.place.blocks === undefined) return false;
  try {
    reuse.taking(path, known);
    await writer.add(header, { kind: 'packed-blocks', packed: known, read: () => reuse.blocks(source, known) });
    reuse.countTaken(stat.size);
    return true;
  } catch (error) {
    if (!(error instanceof EarlierDamage)) throw error;
    reuse.forget(path);
    return false;
  }
}

/** Archives small entries that did not change as the earlier archive has them together. */
export async function addUnchangedMember(
  writer: ArchiveWriter,
  reuse: Reuse,
  { walked, known, taken }: PassedMember,
): Promise<void> {
  for (const { kind, path, stat } of walked) {
    if (kind !== 'file') continue;
    reuse.taking(path, { stat, isProven: known.isProven });
    reuse.countTaken(stat.size);
  }
  await writer.addMember(taken);
}
