import type { ArchiveWriter, EntrySum } from '../../archive/archive.js';
import { fileSumAt, type KnownMember } from '../../archive/known/known-member.js';
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
  source: string,
  { walked, known, packed }: PassedMember,
): Promise<void> {
  const written = reuse.takingMember(source, known, walked);
  await writer.addMember({ sums: sumsOf(walked, known), member: known.member, packed, written });
}

function sumsOf(walked: PassedMember['walked'], known: KnownMember): readonly EntrySum[] {
  const files = walked.filter(({ kind }) => kind === 'file');
  return files.map(({ path, stat }, index) => ({ path, bytes: stat.size, sha256: fileSumAt(known, index) }));
}
