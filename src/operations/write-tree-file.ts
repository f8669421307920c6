import type { EntryHeader } from '../archive/archive.js';
import { blockSize } from '../base/limits.js';
import type { TreeWriter } from '../fs/tree-writer.js';

/** Writes one file of an archive into a tree, in pieces where it is large. */
export async function writeTreeFile(
  tree: TreeWriter,
  to: string,
  header: EntryHeader,
  content: AsyncIterable<Buffer>,
): Promise<void> {
  if (header.size <= blockSize) {
    const pieces: Buffer[] = [];
    for await (const piece of content) pieces.push(piece);
    const [only = Buffer.alloc(0)] = pieces;
    return tree.writeFile(to, pieces.length <= 1 ? only : Buffer.concat(pieces), header);
  }
  const file = tree.createFile(to, header);
  try {
    for await (const piece of content) await file.write(piece);
  } catch (error) {
    file.abandon();
    throw error;
  }
  await file.close();
}
