import { lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { BkpError, ioError, systemCode } from '../base/errors.js';
import { lookAt } from '../fs/file-stat.js';
import { deviceOf, isMountPoint } from '../fs/mount-point.js';
import type { FoundManifest, SourceType } from '../manifest/manifest.js';
import { restoreFolder, roomName } from './own-folders.js';
import { liesBelow } from './resolve-sources.js';
import type { Source } from './source.js';

/** One source of a backup and the place in the instance that it comes back to. */
export interface RestoreUnit {
  /** The target's own: its configuration decides where things go. */
  readonly source: Source;
  /** The live database or folder; for single files the folder they lie in. A real path; may be missing. */
  readonly live: string;
  readonly exists: boolean;
  /**
   * `swap`: the whole takes the place of the old one. `children`: the folder stays (a mount point, the root, or what holds
   * the storage). `inside`: it lies in the folder of another unit, and is part of that one's tree. `files`: file by file.
   */
  readonly mode: 'swap' | 'children' | 'inside' | 'files';
  /** A private folder on the file system of `live`, for what is staged and what is put aside. */
  readonly room: string;
  /** Where it is built: below the room's `stage`. */
  readonly staged: string;
  /** Kept as the bytes of a damaged database: neither checked nor locked. */
  readonly raw: boolean;
}

export interface UnitsRequest {
  readonly manifest: FoundManifest;
  /** All of the target's configuration. */
  readonly configured: readonly Source[];
  readonly only: readonly string[] | undefined;
  /** Single files are merged into what is there, instead of whole sources put in its place. */
  readonly merge: boolean;
  /** A real path. */
  readonly root: string;
  /** The storage's folder, where it has one. */
  readonly storage: string | undefined;
}

/** Decides what goes where. Only looks; rejects what cannot be restored here with `source-unknown` or `restore-impossible`. */
export function restoreUnits(request: UnitsRequest): readonly RestoreUnit[] {
  const wanted = wantedSources(request);
  const places = wanted.map((source) => ({ source, ...livePlace(source) }));
  const folders = places.filter(({ source }) => source.type === 'directory');
  const units: RestoreUnit[] = [];
  // Outer ones first: what lies in them is staged in their trees.
  const ordered = [...places].sort((a, b) => a.live.length - b.live.length);
  for (const [number, { source, live, exists }] of ordered.entries()) {
    const outer = folders
      .filter((folder) => liesBelow(live, folder.live))
      .sort((a, b) => b.live.length - a.live.length)[0];
    const outerUnit = units.find((unit) => unit.source === outer?.source);
    const raw = source.type === 'sqlite' && isRaw(request.manifest, source.name);
    if (outerUnit !== undefined && source.type !== 'files' && !request.merge) {
      const staged = join(outerUnit.staged, relative(outerUnit.live, live));
      units.push({ source, live, exists, mode: 'inside', room: outerUnit.room, staged, raw });
      continue;
    }
    const mode = modeOf(source, live, exists, request);
    const room = roomFor(live, mode, request.root);
    units.push({ source, live, exists, mode, room, staged: join(room, 'stage', String(number)), raw });
  }
  return units;
}

/** Entries of a damaged database's own files, which the manifest tells nothing about. */
const isRaw = (manifest: FoundManifest, name: string): boolean =>
  manifest.sources !== undefined && manifest.sources.some((one) => one.name === name && one.sqlite === undefined);

function wantedSources({ manifest, configured, only, merge }: UnitsRequest): readonly Source[] {
  const held = manifest.includes.filter((name) => only === undefined || only.includes(name));
  const isFolder = (source: Source): boolean => source.type !== 'sqlite';
  const missing = (only ?? []).filter((name) => !manifest.includes.includes(name));
  if (missing.length > 0) {
    throw new BkpError('source-unknown', `the backup holds no source ${missing.join(', ')}`, {
      hint: `It holds: ${manifest.includes.join(', ')}.`,
    });
  }
  const wanted = held.map((name) => {
    const source = configured.find((one) => one.name === name);
    if (source === undefined) throw notConfigured(name);
    const recorded = manifest.sources?.find((one) => one.name === name)?.type;
    if (recorded !== undefined && recorded !== source.type) throw otherType(name, recorded, source.type);
    return source;
  });
  return merge ? wanted.filter(isFolder) : wanted;
}

const notConfigured = (name: string): BkpError =>
  new BkpError('source-unknown', `the backup holds the source ${name}, which the configuration here does not know`, {
    hint: 'Add it to `sources`, name the others with --only, or restore into another folder with --target.',
  });

const otherType = (name: string, recorded: SourceType, here: SourceType): BkpError =>
  new BkpError(
    'source-unknown',
    `${name} is of type ${recorded} in the backup, but ${here} in the configuration here`,
    {
      hint: 'Mend the type in `sources`, or restore into another folder with --target.',
    },
  );

/** Where a source really lies; one that is missing, where it would. */
function livePlace({ path }: Source): { readonly live: string; readonly exists: boolean } {
  try {
    return { live: realpathSync.native(path), exists: true };
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw ioError('looking at', path, error);
  }
  return { live: missingPlace(path), exists: false };
}

function missingPlace(path: string): string {
  try {
    return join(realpathSync.native(dirname(path)), basename(path));
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw ioError('looking at', dirname(path), error);
    return join(missingPlace(dirname(path)), basename(path));
  }
}

function modeOf(source: Source, live: string, exists: boolean, request: UnitsRequest): RestoreUnit['mode'] {
  const { root, storage, merge } = request;
  if (source.type === 'files' || merge) return 'files';
  if (source.type === 'sqlite') {
    if (exists && isMountPoint(live)) throw mountedFile(live);
    return 'swap';
  }
  const stays = [join(root, restoreFolder), ...(storage === undefined ? [] : [storage])];
  const holdsOurs = live === root || stays.some((path) => liesBelow(path, live) || path === live);
  return exists && (holdsOurs || isMountPoint(live)) ? 'children' : 'swap';
}

const mountedFile = (path: string): BkpError =>
  new BkpError('restore-impossible', `${path} is mounted as a single file, which no rename can replace`, {
    path,
    hint: 'Mount its folder instead, or restore into another folder with --target.',
  });

/** The root's private folder, or one on the file system where the moves happen. */
function roomFor(live: string, mode: RestoreUnit['mode'], root: string): string {
  const folder = mode === 'children' || mode === 'files' ? live : existingAbove(dirname(live));
  return deviceOf(folder) === deviceOf(root) ? join(root, restoreFolder) : join(folder, roomName(root));
}

/** Where rooms of an interrupted restore may lie, whatever it was that it restored. */
export function possibleRooms(configured: readonly Source[], root: string): readonly string[] {
  const folders = configured.flatMap((source) => {
    try {
      const { live } = livePlace(source);
      return [live, existingAbove(dirname(live))];
    } catch (error) {
      // A place that cannot be looked at now keeps nobody from ending what was begun.
      if (error instanceof BkpError) return [];
      throw error;
    }
  });
  const rooms = [...new Set(folders)].map((folder) => join(folder, roomName(root)));
  return rooms.filter((room) => lookAt(room)?.isDirectory() === true);
}

/** The folder itself, or the nearest above it that is there. */
export function existingAbove(folder: string): string {
  return lstatSync(folder, { throwIfNoEntry: false }) === undefined ? existingAbove(dirname(folder)) : folder;
}
