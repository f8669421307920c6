import { isUtf8 } from 'node:buffer';
import { readdirSync, type Dirent } from 'node:fs';
import { compareBytes } from '../base/entry-path.js';

export interface Listed {
  readonly name: string;
  readonly isDirectory: boolean;
  /** What the name adds to the paths of files below it: where the entry stands among its siblings. */
  readonly order: string;
}

export interface Listing {
  readonly entries: readonly Listed[];
  readonly badNames: readonly Dirent<Buffer>[];
}

/** What lies in a folder, in the order a walk takes. Throws system errors. */
export function listFolder(folder: string): Listing {
  const found = readdirSync(folder, { withFileTypes: true });
  // What is not UTF-8 decodes with U+FFFD, which is also a valid character: the bytes tell.
  if (!found.some((entry) => entry.name.includes('\ufffd'))) return { entries: inOrder(found), badNames: [] };
  const inBytes = readdirSync(folder, { withFileTypes: true, encoding: 'buffer' });
  const isGood = (entry: Dirent<Buffer>): boolean => isUtf8(entry.name);
  const badNames = inBytes.filter((entry) => !isGood(entry)).sort((a, b) => Buffer.compare(a.name, b.name));
  return { entries: inOrder(inBytes.filter(isGood)), badNames };
}

function inOrder(found: readonly (Dirent | Dirent<Buffer>)[]): readonly Listed[] {
  return found
    .map((entry): Listed => {
      const name = entry.name.toString();
      const isDirectory = entry.isDirectory();
      return { name, isDirectory, order: isDirectory ? `${name}/` : name };
    })
    .sort((a, b) => compareBytes(a.order, b.order));
}
