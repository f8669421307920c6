import { cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { temporaryFolder } from './surroundings.js';
import type { Container } from '../../src/archive/archive.js';
import { withCleanup } from '../../src/base/cleanup.js';
import { systemClock } from '../../src/base/clock.js';
import { BkpError } from '../../src/base/errors.js';
import { silentProgress } from '../../src/base/progress.js';
import { CompressPool } from '../../src/compress/pool.js';
import { fileBackup, type BackupFile } from '../../src/operations/backup-file.js';
import type { Destination } from '../../src/operations/backup-destination.js';
import { createBackup, type CreateResult } from '../../src/operations/create-backup.js';
import type { CreateRequest } from '../../src/operations/create-request.js';
import type { Deps } from '../../src/operations/deps.js';
import { restoreToTarget, type RestoreResult } from '../../src/operations/execute-restore.js';
import { planRestore, type RestoreRequest } from '../../src/operations/plan-restore.js';
import type { Source } from '../../src/operations/source.js';
import { verifyBackup, type VerifyRequest, type VerifyResult } from '../../src/operations/verify-backup.js';
import { sqliteChildOnDemand } from '../../src/sqlite/child-on-demand.js';
import { LocalStorage } from '../../src/storage/local-storage.js';
import { writeTree, type Tree } from './tree.js';

/** An installed application in a temporary folder of its own, its storage beside its root. */
export interface Instance {
  readonly root: string;
  readonly sources: readonly Source[];
  readonly storage: LocalStorage;
}

/**
 * Threads, and a process for databases, for all operations of a process that runs tests, with which they end: starting them
 * takes longer than most of their work.
 */
const sharedPool = new CompressPool();
const sharedSqlite = sqliteChildOnDemand();

/** `own`: the operation starts its own threads, and its own process for databases, as it does for a user. */
export type Using = Partial<Omit<Deps, 'pool' | 'sqlite'>> & { readonly pool?: CompressPool | 'own' };

/** Dependencies with a real clock that nobody listens to. */
export function deps({ pool = sharedPool, ...overrides }: Using = {}): Deps {
  return {
    clock: systemClock,
    progress: silentProgress,
    signal: new AbortController().signal,
    temporaryFolder: tmpdir(),
    host: 'test.example',
    version: '0.0.0-test',
    step: () => undefined,
    ...(pool === 'own' ? {} : { pool }),
    ...(pool === 'own' || !isShareable(overrides) ? {} : { sqlite: sharedSqlite }),
    ...overrides,
  };
}

/** A signal ends the process of its operation, and one started by us has our rights. */
const isShareable = ({ signal }: Partial<Deps>): boolean =>
  signal === undefined && process.geteuid?.() === process.getuid?.();

type Place = Partial<Pick<Source, 'path' | 'scope' | 'enabled'>>;

/** A folder source below the root, at the path of its name unless told otherwise. */
export const directory = (name: string, more: Place & { exclude?: readonly string[] } = {}): Source => ({
  ...{ name, type: 'directory', path: name, scope: name, enabled: true, exclude: [] },
  ...more,
});

export const database = (name: string, more: Place = {}): Source => ({
  ...{ name, type: 'sqlite', path: name, scope: 'databases', enabled: true },
  ...more,
});

export const files = (name: string, patterns: readonly string[], more: Place = {}): Source => ({
  ...{ name, type: 'files', path: '.', scope: 'config', enabled: true, patterns, optional: false },
  ...more,
});

/** Relative paths of sources are taken from the root. */
export async function instance(tree: Tree, sources: readonly Source[]): Promise<Instance> {
  const folder = temporaryFolder();
  const root = join(folder, 'app');
  await writeTree(root, tree);
  return instanceIn(folder, root, sources);
}

function instanceIn(folder: string, root: string, sources: readonly Source[]): Instance {
  const placed = sources.map((source) => ({
    ...source,
    path: join(source.path.startsWith('/') ? '' : root, source.path),
  }));
  return { root, sources: placed, storage: new LocalStorage(join(folder, 'storage')) };
}

/** A copy of fixtures/site, with its times: opening a database in place would change the fixture. */
export function siteCopy(): Instance {
  const folder = temporaryFolder();
  const root = join(folder, 'site');
  const fixture = fileURLToPath(new URL('../../fixtures/site', import.meta.url));
  cpSync(fixture, root, {
    recursive: true,
    verbatimSymlinks: true,
    preserveTimestamps: true,
    // Where somebody has made a backup of the fixture.
    filter: (path) => !path.endsWith('/var/backups'),
  });
  return instanceIn(folder, root, [
    database('system.brain', { path: 'var/system.brain' }),
    database('user.brain', { path: 'var/user.brain' }),
    directory('snapshots', { path: 'var/snapshots' }),
    directory('uploads', { path: 'var/uploads' }),
    files('config', ['.env', '.env.local', '.backuprc*']),
  ]);
}

export type CreateOptions = Partial<Omit<CreateRequest, 'destination'>> & {
  readonly container?: Container;
  /** Into this file instead of the storage. */
  readonly output?: string;
};

export function createRequest(from: Instance, options: CreateOptions = {}): CreateRequest {
  const { container = 'zip', output, ...more } = options;
  const { root, sources, storage } = from;
  const destination: Destination =
    output === undefined ? { kind: 'storage', storage, container } : { kind: 'file', path: output, storage, container };
  return {
    instance: 'app',
    root: realpathSync(root),
    sources,
    leftOut: [],
    excludes: [],
    destination,
    level: 3,
    maxPause: 4000,
    origin: 'manual',
    comment: undefined,
    lockWait: 0,
    quickCheck: false,
    full: false,
    ...more,
  };
}

export function create(from: Instance, options: CreateOptions = {}, using: Using = {}): Promise<CreateResult> {
  return createBackup(createRequest(from, options), deps(using));
}

const asFile = (file: BackupFile | string): BackupFile => (typeof file === 'string' ? fileBackup(file) : file);

export function verify(
  file: BackupFile | string,
  options: Partial<Omit<VerifyRequest, 'file'>> = {},
  using: Using = {},
): Promise<VerifyResult> {
  return verifyBackup({ file: asFile(file), quick: false, allowRepacked: false, ...options }, deps(using));
}

export type RestoreOptions = Partial<Omit<RestoreRequest, 'file' | 'target'>>;

/** Plans and restores in one go. */
export function restore(
  file: BackupFile | string,
  target: string,
  options: RestoreOptions = {},
  using: Using = {},
): Promise<RestoreResult> {
  const request = {
    only: undefined,
    allowUnverified: false,
    allowRepacked: false,
    owner: 'archive' as const,
    ...options,
  };
  return withCleanup(async (cleanup) => {
    const plan = await planRestore({ ...request, file: asFile(file), target }, deps(using), cleanup);
    return restoreToTarget({ ...plan, target }, deps(using));
  });
}

/** A folder that does not exist yet, beside nothing else: what a failed restore leaves there can be seen. */
export const newTarget = (): string => join(temporaryFolder(), 'restored');

/** The expected failure a call ends with. */
export async function failure(call: Promise<unknown>): Promise<BkpError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof BkpError) return error;
    throw error;
  }
  throw new Error('it succeeded');
}

export interface Described {
  readonly type: 'file' | 'directory' | 'link' | 'other';
  readonly mode?: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds. */
  readonly mtime: bigint;
  /** Content in hexadecimal, or a link's target. */
  readonly content?: string;
}

/** Everything below a folder, and the folder itself as `.`, by path: two equal ones are the same tree. */
export function describeTree(folder: string): Record<string, Described> {
  const found: Record<string, Described> = {};
  const look = (path: string, shown: string): void => {
    found[shown] = describeOne(path);
    if (found[shown].type !== 'directory') return;
    for (const name of readdirSync(path)) look(join(path, name), `${shown}/${name}`);
  };
  look(folder, '.');
  return found;
}

function describeOne(path: string): Described {
  const stat = lstatSync(path, { bigint: true });
  const common = { uid: Number(stat.uid), gid: Number(stat.gid), mtime: stat.mtimeNs };
  const mode = Number(stat.mode & 0o7777n);
  if (stat.isSymbolicLink()) return { type: 'link', ...common, content: readlinkSync(path) };
  if (stat.isDirectory()) return { type: 'directory', mode, ...common };
  if (stat.isFile()) return { type: 'file', mode, ...common, content: readFileSync(path).toString('hex') };
  return { type: 'other', mode, ...common };
}

const microsecond = 1000n;

/** One tree is the other but for what Node.js cannot set: it cuts times to microseconds, out of a double. */
export function expectRestored(restored: string, original: string): void {
  const [found, wanted] = [describeTree(restored), describeTree(original)];
  for (const [path, described] of Object.entries(found)) {
    const away = described.mtime - (wanted[path]?.mtime ?? 0n);
    if (away < -microsecond || away > microsecond) continue;
    found[path] = { ...described, mtime: wanted[path]?.mtime ?? 0n };
  }
  expect(found).toEqual(wanted);
}

/** What lies in a storage besides its lock and what is remembered of the last archive. */
export function stored({ storage }: Pick<Instance, 'storage'>): string[] {
  mkdirSync(dirname(storage.folder), { recursive: true });
  const names = lstatSync(storage.folder, { throwIfNoEntry: false }) === undefined ? [] : readdirSync(storage.folder);
  return names.filter((name) => !/^\.(?:bkp\.lock|entries-[0-9a-f]+)$/.test(name)).sort();
}
