import { isUtf8 } from 'node:buffer';
import { opendirSync, type Dirent } from 'node:fs';
import { compareBytes } from '../base/entry-path.js';

export interface Listing {
  /**
   * In the order that a walk takes: by what each name adds to the paths of the files below it. A folder's name ends with a
   * slash. Mere strings, for there may be a million in one folder.
   */
  readonly entries: readonly string[];
  readonly badNames: readonly Dirent<Buffer>[];
}

/** What lies in a folder. Throws system errors. */
export function listFolder(folder: string): Listing {
  const entries: string[] = [];
  let mayBeBad = false;
  for (const found of read<string>(folder, 'utf8')) {
    // What is not UTF-8 decodes with U+FFFD, which is also a valid character: the bytes tell.
    mayBeBad ||= found.name.includes('\ufffd');
    entries.push(listed(found, found.name));
  }
  if (mayBeBad) return listByBytes(folder);
  return { entries: entries.sort(compareBytes), badNames: [] };
}

function listByBytes(folder: string): Listing {
  const entries: string[] = [];
  const badNames: Dirent<Buffer>[] = [];
  for (const found of read<Buffer>(folder, 'buffer')) {
    if (isUtf8(found.name)) entries.push(listed(found, found.name.toString()));
    else badNames.push(found);
  }
  return { entries: entries.sort(compareBytes), badNames: badNames.sort((a, b) => Buffer.compare(a.name, b.name)) };
}

/** Entries that the system is asked for at once. */
const bufferSize = 512;

/** One after the other: a list of all of them would be the largest thing in memory. */
function* read<T extends string | Buffer>(folder: string, encoding: 'utf8' | 'buffer'): Generator<Dirent<T>> {
  // Names come in the encoding that was asked for, which the types do not tell.
  const open = opendirSync(folder, { bufferSize, encoding: encoding as BufferEncoding });
  try {
    for (let found = open.readSync(); found !== null; found = open.readSync()) yield found as unknown as Dirent<T>;
  } finally {
    open.closeSync();
  }
}

const listed = (found: Dirent | Dirent<Buffer>, name: string): string => (found.isDirectory() ? `${name}/` : name);

/** The name of an entry of a listing. */
export const nameOf = (entry: string): string => (isFolderEntry(entry) ? entry.slice(0, -1) : entry);

export const isFolderEntry = (entry: string): boolean => entry.endsWith('/');
