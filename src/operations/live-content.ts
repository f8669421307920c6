import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { ioError } from '../base/errors.js';
import { fileStat, lookAt, type FileStat } from '../fs/file-stat.js';
import type { FoundManifest } from '../manifest/manifest.js';
import type { DatabaseToCopy } from './database-copies.js';
import { scanSource } from './live-databases.js';
import { Reserved, resolveSources } from './resolve-sources.js';
import type { RestoreUnit } from './restore-units.js';
import type { Source } from './source.js';
import { refuseUnseen } from './unseen-content.js';

/** What lies now where a restore will put something else. */
export interface LiveContent {
  /** Of all files, databases included. */
  readonly bytes: number;
  /** Databases that are sources of their own; those that are there. */
  readonly own: readonly { readonly name: string; readonly path: string; readonly bytes: number }[];
  /** Databases inside folders: those live now, and those that were when the backup was made. */
  readonly inside: readonly DatabaseToCopy[];
}

export interface LiveRequest {
  readonly units: readonly RestoreUnit[];
  readonly configured: readonly Source[];
  readonly excludes: readonly string[];
  readonly root: string;
  /** The storage's folder, where it has one. */
  readonly storageFolder: string | undefined;
  readonly manifest: FoundManifest;
}

/** Only looks. Throws `io-failed` where a disk fails: what is not seen would be replaced unsaved. */
export function liveContent(request: LiveRequest): LiveContent {
  const { units, configured, excludes, root, storageFolder, manifest } = request;
  const reserved = new Reserved(
    root,
    storageFolder === undefined ? [] : [storageFolder],
    resolveSources(configured).resolved,
  );
  const own = units.flatMap(({ source, live }) => {
    const found = source.type === 'sqlite' ? lookAt(live) : undefined;
    return found?.isFile() === true ? [{ name: source.name, path: live, bytes: found.size }] : [];
  });
  const inside = new Map<string, DatabaseToCopy>();
  let bytes = own.reduce((sum, database) => sum + database.bytes, 0);
  for (const item of resolveSources(units.map(({ source }) => source)).resolved) {
    if (item.source.type === 'sqlite') continue;
    const name = item.source.name;
    const add = (entryPath: string, absolute: string): void => {
      const stat = statOfFile(absolute);
      if (stat !== undefined) inside.set(absolute, { source: name, entryPath, absolute, stat });
    };
    const scanned = scanSource(item, excludes, reserved);
    for (const one of scanned.unseen) refuseUnseen(one, item.real);
    bytes += scanned.bytes;
    for (const one of scanned.live) add(one.entryPath, one.absolute);
    const recorded = manifest.sources?.find((one) => one.name === name)?.databases ?? {};
    for (const path of Object.keys(recorded)) add(path, join(item.real, path.slice(name.length + 1)));
  }
  return { bytes, own, inside: [...inside.values()] };
}

/** A database that may not be looked at cannot be locked either. */
function statOfFile(path: string): FileStat | undefined {
  try {
    return lookAt(path)?.isFile() === true ? fileStat(lstatSync(path, { bigint: true })) : undefined;
  } catch (error) {
    throw ioError('looking at', path, error, 'target-unwritable');
  }
}
