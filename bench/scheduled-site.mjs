// A small instance whose schedules have made backups for days, and what its storage has to look like.
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { residentBkp } from './resident.mjs';
import { dist, operationDeps } from './safety-proof.mjs';

const here = dirname(fileURLToPath(import.meta.url));
export const binary = join(here, '../bin/bkp.js');

export const rootOf = (folder) => join(folder, 'site');
export const storageOf = (folder) => join(rootOf(folder), 'var/backups');
export const copiesOf = (folder) => join(folder, 'copies');

/** Variables of a call: one thread for asynchronous calls, for with several it is chance which one makes the n-th. */
export const environment = { PATH: process.env.PATH, UV_THREADPOOL_SIZE: '1', BKP_LOCK_WAIT: '0' };

/** The command line on the instance in a folder, to its end. */
export async function bkp(folder, args) {
  const { code, stdout, stderr } = await residentBkp({
    ...{ args: [...args, '--json'], cwd: rootOf(folder), env: environment },
  });
  const lines = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  return { code, lines, last: lines.at(-1), stderr };
}

/** What each schedule keeps. */
export const keeps = { daily: 3, hourly: 2 };

const hour = 60 * 60 * 1000;

/** Backups from old to new, of the uploads alone: copying databases takes a process each. `lacks`: something is missing in it. */
const history = [
  ...[8, 7, 6].map((days) => ({ origin: 'daily', hours: 24 * days, lacks: days !== 7, locked: days === 7 })),
  ...[5, 4, 3, 2].map((days) => ({ origin: 'daily', hours: 24 * days })),
  { origin: 'manual', hours: 40 },
  { origin: 'daily', hours: 30, lacks: true },
  ...[6, 5, 4, 3].map((hours) => ({ origin: 'hourly', hours, locked: hours === 5 })),
];

/** Makes the instance, its storage and the folder of copies in an empty folder. */
export async function makeScheduledSite(folder) {
  const root = rootOf(folder);
  cpSync(join(here, '../fixtures/site'), root, {
    ...{ recursive: true, preserveTimestamps: true, verbatimSymlinks: true },
    filter: (path) => !path.endsWith('/var/backups'),
  });
  for (const many of ['var/uploads', 'var/snapshots']) rmSync(join(root, many), { recursive: true });
  for (const one of ['var/uploads', 'var/snapshots/first']) {
    mkdirSync(join(root, one), { recursive: true });
    writeFileSync(join(root, one, 'a.txt'), 'content\n'.repeat(1000));
  }
  mkdirSync(copiesOf(folder));
  writeFileSync(join(root, '.backuprc'), 'copies: [../copies]\n', { mode: 0o600 });
  for (const [name, keep] of Object.entries(keeps)) {
    const time = name === 'daily' ? ['--at', '03:30'] : ['--at', '00:30'];
    const ran = await bkp(folder, ['schedule', 'set', name, '--every', name, ...time, '--keep', String(keep)]);
    if (ran.code !== 0) throw new Error(`${ran.stderr}${JSON.stringify(ran.last)}`);
  }
  await makeHistory(folder);
}

async function makeHistory(folder) {
  const { runBackup } = await import(`${dist}/operations/backup-run.js`);
  const { noHooks } = await import(`${dist}/operations/run-hooks.js`);
  const { noMonitor } = await import(`${dist}/operations/monitor.js`);
  const { openCatalog } = await import(`${dist}/catalog/catalog.js`);
  const { CompressPool } = await import(`${dist}/compress/pool.js`);
  const { LocalStorage } = await import(`${dist}/storage/local-storage.js`);
  const root = rootOf(folder);
  const storage = new LocalStorage(storageOf(folder));
  const started = Date.now();
  const clock = { now: () => started, monotonic: () => performance.now() };
  const pool = new CompressPool(1);
  const deps = { ...(await operationDeps()), clock, pool };
  const catalog = await openCatalog(storage.folder, clock);
  for (const { origin, hours, lacks = false, locked = false } of history) {
    const time = started - hours * hour;
    clock.now = () => time;
    const sources = ['uploads', ...(lacks ? ['absent'] : [])].map((name) => {
      return { name, type: 'directory', path: join(root, 'var', name), scope: name, enabled: true, exclude: [] };
    });
    const request = {
      ...{ instance: basename(root), root, sources, leftOut: [], excludes: [], level: 1, maxPause: 4000 },
      ...{ origin, comment: undefined, lockWait: 0, quickCheck: true },
      destination: { kind: 'storage', storage, container: 'zip' },
    };
    const run = {
      ...{ request, storage, hooks: noHooks, monitor: noMonitor, locked, copies: [copiesOf(folder)] },
      ...{ slot: origin === 'manual' ? undefined : time, retention: undefined },
    };
    const { complete } = await runBackup(run, deps, catalog);
    if (complete === lacks) throw new Error(`a backup of ${hours} hours ago is ${complete ? '' : 'in'}complete`);
    const name = readdirSync(storage.folder).find((one) => one.endsWith(`-${origin}.zip.locked`));
    if (locked && name !== undefined) copyFileSync(join(storage.folder, name), join(copiesOf(folder), name));
  }
  catalog.close();
  await pool.close();
}

/** Own archives as `bkp list` tells of them; not the last run that failed. */
export async function listed(folder) {
  const { code, lines, last } = await bkp(folder, ['list']);
  if (code !== 0) throw new Error(`list ended with ${code}: ${JSON.stringify(last)}`);
  return lines.filter(({ type, status }) => type === 'backup' && status !== 'failed');
}

/** The same by the names of files alone, for one that is known from before, or was made by a run that went through. */
export function named(folder) {
  const names = readdirSync(storageOf(folder));
  return names.flatMap((name) => {
    const [, id, origin] = /^(\d{8}T\d{6}Z-([a-z]+))\.zip$/.exec(name) ?? [];
    return id === undefined ? [] : [{ id, origin, status: 'ok', locked: names.includes(`${name}.locked`) }];
  });
}

/** What is wrong with archives and the files beside them: none without a side file that holds its checksum. */
export function* unproven(folder) {
  for (const name of readdirSync(folder).filter((one) => /\.(?:zip|tar\.gz)$/.test(one))) {
    const side = join(folder, `${name}.sha256`);
    if (!existsSync(side)) {
      yield `${name} has no side file`;
      continue;
    }
    const sum = createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
    if (!readFileSync(side, 'utf8').startsWith(sum)) yield `${name} is not what its side file proves`;
  }
}

/** What runs that were killed left in a storage, which the next one has to remove. */
export function leftovers(folder) {
  const names = readdirSync(folder);
  return names.filter((name) => {
    if (name.startsWith('.')) return !/^\.(?:bkp\.lock|entries-[0-9a-f]+$)/.test(name);
    const archive = name.replace(/\.(?:sha256|locked)$/, '');
    return archive !== name && !names.includes(archive);
  });
}
