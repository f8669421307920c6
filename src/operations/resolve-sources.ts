import { lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { errorText, systemCode } from '../base/errors.js';
import { fileStat, type FileStat } from '../fs/file-stat.js';
import { filesOfFileSystem } from '../fs/mount-point.js';
import { finding, type Finding } from '../manifest/findings.js';
import { ownFolders, roomName } from './own-folders.js';
import type { Source } from './source.js';

/** A source that is there: its root may have been a symbolic link, which is resolved once. */
export interface ResolvedSource {
  readonly source: Source;
  /** A real path. */
  readonly real: string;
  readonly stat: FileStat;
}

export interface ResolvedSources {
  readonly resolved: readonly ResolvedSource[];
  /** Losses: sources that are not there, or not what they should be. */
  readonly findings: readonly Finding[];
}

const gone = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

/** Looks where the sources really lie. Opens nothing. */
export function resolveSources(sources: readonly Source[]): ResolvedSources {
  const resolved: ResolvedSource[] = [];
  const findings: Finding[] = [];
  for (const source of sources) {
    const found = resolveSource(source);
    if ('id' in found) findings.push(found);
    else resolved.push(found);
  }
  return { resolved, findings };
}

function resolveSource(source: Source): ResolvedSource | Finding {
  const about = { source: source.name, path: source.name };
  try {
    const real = realpathSync.native(source.path);
    const stat = lstatSync(real, { bigint: true });
    const wanted = source.type === 'sqlite' ? stat.isFile() : stat.isDirectory();
    if (wanted) return missingPart(source, real) ?? { source, real, stat: fileStat(stat) };
    const type = source.type === 'sqlite' ? 'regular file' : 'folder';
    return finding('file-unreadable', `${source.path} is not a ${type}`, about);
  } catch (error) {
    const code = systemCode(error) ?? '';
    if (gone.has(code)) return finding('source-missing', `${source.path} does not exist (${code})`, about);
    return finding('file-unreadable', `${source.path}: ${errorText(error)}`, about);
  }
}

/** A source that is limited to a folder in it lacks everything where that is not there. */
function missingPart(source: Source, real: string): Finding | undefined {
  if (source.type !== 'directory' || source.only === undefined) return undefined;
  const part = join(real, source.only);
  if (lstatSync(part, { throwIfNoEntry: false })?.isDirectory() === true) return undefined;
  const about = { source: source.name, path: `${source.name}/${source.only}` };
  return finding('source-missing', `there is no folder ${part}`, about);
}

/** The files that belong to a live database beside itself. */
export const sidecarSuffixes = ['-wal', '-shm', '-journal'] as const;

/** What a folder source must leave to others: the storage, staging, other sources and their sidecars. By real path. */
export class Reserved {
  readonly #paths = new Set<string>();
  readonly #room: string;

  /** `folders`: beside the private ones that every instance may have. */
  constructor(root: string, folders: readonly string[], sources: readonly ResolvedSource[]) {
    this.#room = roomName(root);
    for (const folder of [...folders, ...ownFolders(root)]) this.#add(folder);
    for (const { source, real } of sources) {
      if (source.type === 'files') continue;
      this.#paths.add(real);
      if (source.type === 'directory') for (const path of filesOfFileSystem(real)) this.#paths.add(path);
      // Where it is reached by a link, that stands for the source, and is no link of the source around it.
      this.#paths.add(join(realpathSync.native(dirname(source.path)), basename(source.path)));
      if (source.type === 'sqlite') for (const suffix of sidecarSuffixes) this.#paths.add(`${real}${suffix}`);
    }
  }

  /** Also what is found to be live later. */
  addDatabase(real: string): void {
    for (const suffix of sidecarSuffixes) this.#paths.add(`${real}${suffix}`);
  }

  has(absolute: string): boolean {
    return this.#paths.has(absolute) || basename(absolute) === this.#room;
  }

  #add(path: string): void {
    try {
      this.#paths.add(realpathSync.native(path));
    } catch (error) {
      if (!gone.has(systemCode(error) ?? '')) throw error;
      // Not there yet: it will be made by us, where it lies now by its text.
      this.#paths.add(path);
    }
  }
}

/** Whether `inner` lies below `outer`; both real paths. */
export function liesBelow(inner: string, outer: string): boolean {
  return inner.startsWith(outer.endsWith(sep) ? outer : `${outer}${sep}`);
}
