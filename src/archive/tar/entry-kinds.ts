import type { Damage } from '../../base/damage.js';
import type { EntryPath } from '../../base/entry-path.js';
import type { EntryKind } from '../archive.js';

/** Undefined for what is neither a regular file nor a folder nor a symbolic link. */
export function kindOf(type: string, name: Buffer): EntryKind | undefined {
  switch (type) {
    case '0':
    case '7':
      // The old format knows no folders but by their slash.
      return name.at(-1) === 0x2f ? 'directory' : 'file';
    case '5':
      return 'directory';
    case '2':
      return 'link';
    default:
      return undefined;
  }
}

/** Hard links, devices and fifos have none; a type nobody knows is followed by as much as it says (pax, "typeflag"). */
export function mayHaveContent(type: string, kind: EntryKind | undefined): boolean {
  // An old sparse file's map may go on behind its header: where its content begins cannot be told.
  return kind === 'file' || (kind === undefined && !'1346S'.includes(type));
}

const typeNames: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '3': 'a character device',
  '4': 'a block device',
  '6': 'a fifo',
  S: 'a sparse file',
};

export function forbiddenType(
  kind: EntryKind | undefined,
  type: string,
  sparse: boolean,
  path: EntryPath,
): Damage | undefined {
  if (kind !== undefined && !sparse) return undefined;
  const what = sparse ? 'a sparse file' : (typeNames[type] ?? `of type ${JSON.stringify(type)}`);
  return { id: 'entry-type-forbidden', message: `the entry is ${what}, which an archive may not hold`, path };
}
