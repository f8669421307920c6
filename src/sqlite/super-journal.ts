import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { errorText, systemCode } from '../base/errors.js';

/** "The Rollback Journal", https://www.sqlite.org/fileformat2.html#the_rollback_journal; its first and its last 8 bytes. */
const journalMagic = Buffer.from('d9d505f920a163d7', 'hex');

/** After the name: its length, its checksum and the magic (`writeSuperJournal` in SQLite's pager.c). */
const trailerBytes = 4 + 4 + 8;

/** Before the name: the number of a page that never holds data. */
const pageNumberBytes = 4;

/** SQLite takes no longer name for one. */
const maxNameBytes = 4096;

/** What SQLite puts behind the name of the transaction's first database (`vdbeCommit` in vdbeaux.c). */
const superJournalSuffix = /^-mj[0-9A-F]{6,12}$/;

/** The names of databases that may take part in one transaction, links resolved and not. */
export async function databaseNames(paths: readonly string[]): Promise<ReadonlySet<string>> {
  const names = new Set(paths.map((path) => basename(path)));
  for (const path of paths) {
    try {
      names.add(basename(await realpath(path)));
    } catch (error) {
      // It is reported when it is looked at itself.
      if (systemCode(error) === undefined) throw error;
    }
  }
  return names;
}

/**
 * Why SQLite must not see a database's sidecars: undefined where it may. It follows links when it opens them, and when it plays
 * back a `-journal` that names a super-journal, it deletes the file of that name: whoever can put two files into a folder would
 * choose a file that is deleted anywhere. Allowed is what SQLite itself would have named: a super-journal beside the database,
 * named after one of `names`.
 */
export function sidecarFault(database: string, names: ReadonlySet<string>): string | undefined {
  for (const suffix of ['-wal', '-journal']) {
    const path = `${database}${suffix}`;
    try {
      const stats = lstatSync(path, { throwIfNoEntry: false });
      if (stats === undefined) continue;
      if (!stats.isFile()) return `${path} is not a regular file, and was kept from SQLite`;
      if (suffix !== '-journal') continue;
      // Reading one that is a second name of a database would drop the locks on that.
      if (stats.nlink > 1) return `${path} has a second name elsewhere, and was kept from SQLite`;
      const named = readSuperJournal(path);
      if (named === undefined || isOwn(named.name, database, names)) continue;
      return `${path} names a super-journal that is not of this database (${JSON.stringify(named.name)}), and was kept from SQLite, which would delete it`;
    } catch (error) {
      const code = systemCode(error);
      if (code === undefined) throw error;
      // SQLite may not read it either, unless it vanished.
      if (code !== 'ENOENT') return `${path} cannot be looked into: ${errorText(error)}`;
    }
  }
  return undefined;
}

/**
 * Makes a private copy of a journal independent of the super-journal beside the original: where that exists, the transaction
 * was not committed, and the copy is to be played back; where it does not, it was, and the copy goes. Returns why neither is
 * right.
 */
export function settleSuperJournal(copy: string, original: string, names: ReadonlySet<string>): string | undefined {
  const journal = `${copy}-journal`;
  const named = existsSync(journal) ? readSuperJournal(journal) : undefined;
  if (named === undefined) return undefined;
  if (!isOwn(named.name, original, names))
    return `${original}-journal names a super-journal that is not of this database`;
  if (existsSync(named.name)) truncateSync(journal, named.at);
  else rmSync(journal);
  return undefined;
}

interface SuperJournal {
  readonly name: string;
  /** Where its record begins in the journal. */
  readonly at: number;
}

/** The checksum is not looked at: what SQLite would not take for a super-journal either is refused with the rest. */
function readSuperJournal(journal: string): SuperJournal | undefined {
  const fd = openSync(journal, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const { size } = fstatSync(fd);
    if (size < trailerBytes) return undefined;
    const trailer = readAt(fd, size - trailerBytes, trailerBytes);
    const length = trailer.readUInt32BE(0);
    if (!trailer.subarray(8).equals(journalMagic) || length === 0) return undefined;
    const begin = size - trailerBytes - length;
    if (begin < 0) return undefined;
    const name = readAt(fd, begin, Math.min(length, maxNameBytes + 1));
    return { name: name.toString('utf8'), at: Math.max(0, begin - pageNumberBytes) };
  } finally {
    closeSync(fd);
  }
}

function readAt(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(fd, bytes, 0, length, position));
}

function isOwn(name: string, database: string, names: ReadonlySet<string>): boolean {
  if (name.length > maxNameBytes || dirname(name) !== dirname(database)) return false;
  // Not `.`, `..` or a second separator in other words for the same folder.
  if (`${dirname(database)}/${basename(name)}`.replace('//', '/') !== name) return false;
  return [...names].some((own) => {
    const suffix = basename(name).startsWith(own) ? basename(name).slice(own.length) : '';
    return superJournalSuffix.test(suffix);
  });
}
