import { lstatSync, opendirSync, realpathSync, statSync, type Dirent, type Stats } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { systemCode } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { isInside } from '../fs/link-target.js';
import { reasonOf } from '../fs/reason.js';
import { folderKind, type FoundData, type FoundDatabase, type FoundLink } from '../policy/found-data.js';
import { readHeaderMode } from '../sqlite/header.js';
import { sidecarsOf } from '../sqlite/sidecars.js';
import type { Deps } from './deps.js';

export interface SurveyLimits {
  /** Names that are looked at. */
  readonly entries: number;
  /** Segments of a path. */
  readonly depth: number;
  readonly milliseconds: number;
}

/** Enough for any small application; a wrong folder must not keep anybody waiting. */
export const surveyLimits: SurveyLimits = { entries: 500_000, depth: 8, milliseconds: 10_000 };

export interface SurveyRequest {
  /** A real path. */
  readonly root: string;
  /** Folders that are passed over, by real path. */
  readonly skip: readonly string[];
  /** Files to be told of: paths below the root. */
  readonly wanted: ReadonlySet<string>;
  readonly limits?: SurveyLimits;
}

export interface Survey extends FoundData {
  /** What could not be looked at. Paths below the root; `.` is the root. */
  readonly unread: readonly { readonly path: string; readonly reason: string }[];
  /** Why not everything was looked at. */
  readonly cut: 'entries' | 'depth' | 'time' | undefined;
}

/**
 * Looks for databases and folders, the nearest first. Opens no database with SQLite: reads first bytes, in a process that may
 * hold none. Links are followed out of the root only, and nothing twice.
 */
export async function survey(request: SurveyRequest, deps: Pick<Deps, 'clock' | 'signal'>): Promise<Survey> {
  const look = new Look(request, deps);
  await look.run();
  // A folder lists its content in any order.
  const byPath = (a: { readonly path: string }, b: { readonly path: string }): number => (a.path < b.path ? -1 : 1);
  look.databases.sort(byPath);
  look.links.sort(byPath);
  look.disposable.sort();
  return look;
}

interface Folder {
  /** Below the root; empty for the root. */
  readonly path: string;
  readonly depth: number;
}

/** SQLite's smallest page; a database has whole pages, and one that was cut short is known by its name. */
const smallestPage = 512;
const usualNames = /\.(?:db|db3|sqlite|sqlite3|s3db|brain)$/i;

/** Bytes of a name: with a longer one, SQLite could not have a journal beside it. */
const longestName = limits.maxNameBytes - '-journal'.length;

/** No application keeps data there, and they have no end. */
const systemFolders = new Set(['/proc', '/sys', '/dev', '/run']);

/** More of them tell nobody more. */
const mostUnread = 100;
const mostLinks = 1000;
const mostDatabases = 10_000;

class Look implements Survey {
  readonly databases: FoundDatabase[] = [];
  readonly folders = new Set<string>();
  readonly disposable: string[] = [];
  readonly links: FoundLink[] = [];
  readonly files = new Set<string>();
  readonly unread: { path: string; reason: string }[] = [];
  cut: Survey['cut'];
  readonly #request: SurveyRequest;
  readonly #limits: SurveyLimits;
  readonly #deps: Pick<Deps, 'clock' | 'signal'>;
  readonly #until: number;
  readonly #queue: Folder[] = [{ path: '', depth: 0 }];
  /** Folders and databases by device and inode. */
  readonly #seen = new Set<string>();
  /** Where links led to. */
  readonly #followed = new Set<string>();
  #entries = 0;

  constructor(request: SurveyRequest, deps: Pick<Deps, 'clock' | 'signal'>) {
    this.#request = request;
    this.#limits = request.limits ?? surveyLimits;
    this.#deps = deps;
    this.#until = deps.clock.monotonic() + this.#limits.milliseconds;
  }

  async run(): Promise<void> {
    // It grows meanwhile.
    for (const folder of this.#queue) {
      // Signals are heard in between.
      await setImmediate();
      this.#deps.signal.throwIfAborted();
      if (!this.#lookInto(folder)) return;
    }
  }

  /** Gives whether there is more to be looked at. */
  #lookInto(folder: Folder): boolean {
    const absolute = join(this.#request.root, folder.path);
    let goesOn = true;
    this.#unlessUnreadable(folder.path, () => {
      if (!this.#isNew(absolute) || isStorage(absolute)) return;
      const open = opendirSync(absolute);
      try {
        for (let entry = open.readSync(); entry !== null && goesOn; entry = open.readSync()) {
          const path = folder.path === '' ? entry.name : `${folder.path}/${entry.name}`;
          this.#unlessUnreadable(path, () => this.#lookAt(path, entry, folder.depth + 1));
          goesOn = !this.#isEnough();
        }
      } finally {
        open.closeSync();
      }
    });
    return goesOn;
  }

  #lookAt(path: string, entry: Dirent, depth: number): void {
    const absolute = join(this.#request.root, path);
    if (entry.isDirectory()) return this.#found(path, absolute, depth);
    if (!entry.isFile() && isSpecial(entry)) return;
    const stats = lstatSync(absolute);
    if (stats.isDirectory()) return this.#found(path, absolute, depth);
    if (stats.isFile()) {
      if (this.#request.wanted.has(path)) this.files.add(path);
      return this.#lookAtFile(path, absolute, stats);
    }
    if (stats.isSymbolicLink()) this.#follow(path, absolute, depth);
  }

  /** A link is a place of data where what it leads to lies elsewhere: else that is found where it is. */
  #follow(path: string, link: string, depth: number): void {
    const { root } = this.#request;
    const real = realpathSync.native(link);
    if (isInside(real, root)) return;
    const stats = statSync(real);
    if (!stats.isDirectory() && !stats.isFile()) return;
    const to = stats.isDirectory() ? 'folder' : 'file';
    const isElsewhere = !isInside(root, real);
    const target = isElsewhere ? real : relative(root, real);
    if (this.links.length < mostLinks) this.links.push({ path, to, target });
    if (!isElsewhere || this.#followed.has(real)) return;
    this.#followed.add(real);
    if (to === 'folder') this.#found(path, real, depth);
    else this.#lookAtFile(path, real, stats);
  }

  #found(path: string, real: string, depth: number): void {
    if (this.#request.skip.includes(real) || systemFolders.has(real) || isOurs(path)) return;
    this.folders.add(path);
    const kind = folderKind(path.slice(path.lastIndexOf('/') + 1));
    if (kind === 'disposable') this.disposable.push(path);
    if (kind !== 'plain') return;
    if (depth < this.#limits.depth) this.#queue.push({ path, depth });
    else this.cut ??= 'depth';
  }

  #lookAtFile(path: string, real: string, stats: Stats): void {
    const mayBe = stats.size >= smallestPage && (stats.size % smallestPage === 0 || usualNames.test(path));
    if (!mayBe || isOurs(path) || Buffer.byteLength(basename(real)) > longestName) return;
    const journalMode = readHeaderMode(real);
    if (journalMode === undefined || !this.#isNew(real)) return;
    const sidecars = sidecarsOf(real);
    const wal = sidecars.find(({ suffix }) => suffix === '-wal')?.bytes ?? 0;
    this.databases.push({ path, bytes: stats.size + wal, journalMode, live: sidecars.length > 0 });
  }

  #isNew(path: string): boolean {
    const { dev, ino } = statSync(path, { bigint: true });
    const id = `${dev.toString()}:${ino.toString()}`;
    if (this.#seen.has(id)) return false;
    this.#seen.add(id);
    return true;
  }

  #isEnough(): boolean {
    this.#entries += 1;
    if (this.#entries >= this.#limits.entries || this.databases.length >= mostDatabases) this.cut = 'entries';
    else if (this.#entries % 256 === 0 && this.#deps.clock.monotonic() > this.#until) this.cut = 'time';
    else return false;
    return true;
  }

  #unlessUnreadable(path: string, look: () => void): void {
    try {
      look();
    } catch (error) {
      const code = systemCode(error);
      if (code === undefined) throw error;
      // Gone since it was listed, or a link that leads nowhere or around in a circle.
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') {
        if (!path.includes('\ufffd')) return;
        this.#tell(path, 'its name is not valid UTF-8');
      } else this.#tell(path === '' ? '.' : path, reasonOf(error));
    }
  }

  #tell(path: string, reason: string): void {
    if (this.unread.length < mostUnread) this.unread.push({ path, reason });
  }
}

const isSpecial = (entry: Dirent): boolean =>
  entry.isFIFO() || entry.isSocket() || entry.isBlockDevice() || entry.isCharacterDevice();

const ours = /(?:^|\/)(?:\.bkp-restore|\.bkp-staging|\.[^/]*\.staging(?:\.lock)?)$/;

/** What a restore or a backup leaves behind where it is killed. */
const isOurs = (path: string): boolean => ours.test(path);

/** Archives lie there, of whatever instance. */
const isStorage = (folder: string): boolean =>
  lstatSync(join(folder, '.bkp.lock'), { throwIfNoEntry: false }) !== undefined;
