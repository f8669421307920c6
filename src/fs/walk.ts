import { isUtf8 } from 'node:buffer';
import { lstatSync, readlinkSync, type BigIntStats } from 'node:fs';
import { entryPathFault, parseEntryPath, type EntryPath } from '../base/entry-path.js';
import { limits } from '../base/limits.js';
import { displayName } from './display-name.js';
import { fileStat, isSameFile, type FileIdentity, type FileStat } from './file-stat.js';
import { FolderHandle } from './folder-handle.js';
import { isFolderEntry, listFolder, nameOf, type Listing } from './folder-listing.js';
import { linkLeaves } from './link-target.js';
import { accessFinding, badNameFinding, finding, replacedFinding, type WalkFinding } from './walk-finding.js';

export interface WalkOptions {
  /** The source's folder: absolute, a real path. */
  readonly root: string;
  /** The source's name: the first segment of every entry's path. */
  readonly prefix: string;
  /** Left out by the user's wish; an excluded folder is not descended. */
  readonly exclude?: (path: EntryPath, isDirectory: boolean) => boolean;
  /** Left out by what it is (the storage, staging, another source), whatever its name. */
  readonly skip?: (real: FileIdentity & { readonly absolute: string }) => boolean;
}

interface WalkedEntry {
  readonly path: EntryPath;
  readonly absolute: string;
  readonly stat: FileStat;
}

export type Walked =
  | ({ readonly kind: 'file' | 'directory' } & WalkedEntry)
  | ({ readonly kind: 'link'; readonly target: string } & WalkedEntry)
  | WalkFinding;

interface Folder {
  readonly handle: FolderHandle;
  readonly path: string;
  readonly absolute: string;
  readonly entries: Listing['entries'];
  next: number;
}

/**
 * Everything in a folder source: the root first, then by full path in the order of its bytes (`LC_ALL=C sort` of the
 * files' paths), a folder before its content. Links are not followed, neither those found nor those put in a folder's
 * place while the walk is on. Never throws for a bad entry. Calls are synchronous: for many small files several times
 * faster than asynchronous ones.
 */
export function* walk(options: WalkOptions): Generator<Walked, void, undefined> {
  const open: Folder[] = [];
  try {
    const root = lookAtRoot(options);
    yield root;
    if (root.kind === 'directory') yield* enter(root, options.root, open, options);
    for (let folder = open.at(-1); folder !== undefined; folder = open.at(-1)) {
      const entry = folder.entries[folder.next++];
      if (entry === undefined) {
        open.pop();
        folder.handle.close();
        continue;
      }
      const name = nameOf(entry);
      const walked = look(folder, { name, isDirectory: isFolderEntry(entry) }, options);
      if (walked === undefined) continue;
      yield walked;
      if (walked.kind === 'directory') yield* enter(walked, folder.handle.at(name), open, options);
    }
  } finally {
    for (const folder of open) folder.handle.close();
  }
}

function lookAtRoot({ root, prefix }: WalkOptions): Walked {
  const path = parseEntryPath(prefix);
  try {
    const found = lstatSync(root, { bigint: true });
    if (!found.isDirectory()) return finding('file-vanished', path, 'it is not a folder');
    return { kind: 'directory', path, absolute: root, stat: fileStat(found) };
  } catch (error) {
    return accessFinding(path, error);
  }
}

/** Puts a folder that was just yielded on top; yields what is wrong with it. */
function* enter(entry: WalkedEntry, at: string, open: Folder[], options: WalkOptions): Generator<WalkFinding> {
  const opened = openFolder(entry, at);
  if ('kind' in opened) {
    yield opened;
    return;
  }
  open.push(opened.folder);
  for (const bad of opened.badNames) {
    const lossy = `${entry.path}/${bad.name.toString()}` as EntryPath;
    if (options.exclude?.(lossy, bad.isDirectory()) !== true) yield badNameFinding(`${entry.path}/`, bad.name);
  }
}

function openFolder(entry: WalkedEntry, at: string): { folder: Folder; badNames: Listing['badNames'] } | WalkFinding {
  const { path, absolute } = entry;
  let handle: FolderHandle | undefined;
  try {
    handle = new FolderHandle(at);
    if (isSameFile(handle.stat, entry.stat)) {
      const { entries, badNames } = listFolder(handle.base);
      return { folder: { handle, path, absolute: absolute === '/' ? '' : absolute, entries, next: 0 }, badNames };
    }
    handle.close();
    return replacedFinding(path);
  } catch (error) {
    handle?.close();
    return accessFinding(path, error);
  }
}

interface Listed {
  readonly name: string;
  readonly isDirectory: boolean;
}

function look(folder: Folder, listed: Listed, options: WalkOptions): Walked | undefined {
  const raw = `${folder.path}/${listed.name}`;
  const fault = entryPathFault(raw);
  if (fault !== undefined) return finding('file-unreadable', raw, `its path cannot be kept in an archive (${fault})`);
  const path = raw as EntryPath;
  if (options.exclude?.(path, listed.isDirectory) === true) return undefined;
  const at = folder.handle.at(listed.name);
  const found = lookUp(path, at);
  if ('kind' in found) return found;
  if (found.isDirectory() !== listed.isDirectory) return replacedFinding(path);
  const absolute = `${folder.absolute}/${listed.name}`;
  const stat = fileStat(found);
  if (options.skip?.({ dev: stat.dev, ino: stat.ino, absolute }) === true) return undefined;
  const entry: WalkedEntry = { path, absolute, stat };
  if (found.isFile()) return { kind: 'file', ...entry };
  if (found.isDirectory()) return { kind: 'directory', ...entry };
  if (found.isSymbolicLink()) return lookAtLink(entry, at, options.root);
  return finding('special-file', path, `it is a ${specialKind(found)}, which has no content to keep`);
}

function lookUp(path: EntryPath, at: string): BigIntStats | WalkFinding {
  try {
    return lstatSync(at, { bigint: true });
  } catch (error) {
    return accessFinding(path, error);
  }
}

function lookAtLink(entry: WalkedEntry, at: string, root: string): Walked {
  try {
    const bytes = readlinkSync(at, { encoding: 'buffer' });
    const shown = displayName(bytes);
    if (!isUtf8(bytes))
      return finding('name-not-utf8', entry.path, `it is a link to ${shown}, which is not valid UTF-8`);
    if (bytes.length > limits.maxLinkBytes)
      return finding('file-unreadable', entry.path, "its link's target is too long");
    const target = bytes.toString();
    if (linkLeaves(root, entry.absolute, target)) {
      return finding('link-leaves-source', entry.path, `it is a link to ${shown}, outside the source`);
    }
    return { kind: 'link', target, ...entry };
  } catch (error) {
    return accessFinding(entry.path, error);
  }
}

function specialKind(stat: BigIntStats): string {
  if (stat.isFIFO()) return 'named pipe';
  if (stat.isSocket()) return 'socket';
  return 'device';
}
