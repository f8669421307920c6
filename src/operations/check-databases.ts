import { join } from 'node:path';
import type { EntryHeader } from '../archive/archive.js';
import { finding, type Finding } from '../manifest/findings.js';
import type { FoundManifest } from '../manifest/manifest.js';
import type { SqliteChild } from '../sqlite/client.js';

/** The entries that are proven database copies: those kept as raw bytes of a damaged database are not checked. */
export function databaseEntries(manifest: FoundManifest): ReadonlySet<string> {
  return new Set(
    (manifest.sources ?? []).flatMap(({ name, sqlite, databases }) => [
      ...(sqlite === undefined ? [] : [name]),
      ...Object.keys(databases ?? {}),
    ]),
  );
}

/** Asks SQLite whether a database that came out of an archive is whole. */
export async function checkDatabase(child: SqliteChild, file: string, header: EntryHeader): Promise<Finding[]> {
  const about = { source: header.path.split('/', 1)[0] ?? header.path, path: header.path };
  // An empty file is an empty database.
  if (header.size === 0) return [];
  const result = await child.check(file);
  switch (result.kind) {
    case 'damaged':
      return [finding('database-damaged', result.messages.join('; '), about)];
    case 'unchecked':
      return [finding('integrity-unchecked', result.reason, about)];
    case 'ok':
      return result.notes.map(({ id, message }) => finding(id, message, about));
  }
}

/** A file name for the n-th database in a private folder. */
export const databaseFile = (folder: string, index: number): string => join(folder, `database-${index}`);
