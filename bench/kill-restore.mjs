// Kills restores in place with SIGKILL, recovers, and compares:
//
//   node bench/kill-restore.mjs [rounds=200] [--seed n]
//
// Each round restores a copy of one instance, killed at a random moment of a random phase, or just before a random change of
// the file system. Sometimes an application then commits to the databases and dies too; sometimes the recovery is killed
// and repeated. In every second round the uploads lie on another file system, where there is one. Ends with 1 at the first violation, and keeps that round's folder.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeRandom } from '../fixtures/build-site.mjs';
import {
  alwaysThere,
  changeSite,
  committedTo,
  databases,
  filesBelow,
  makeSite,
  restoredState,
  sourcesOf,
  stateOf,
  storageOf,
} from '../test/helpers/in-place-site.mjs';
import { dist, operationDeps, unsoundSafety } from './safety-proof.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const helper = (name) => join(here, '../test/helpers', name);

/** Phases by the line they begin with, and how many of ten kills hit there. */
const phases = [
  ['begin', 1],
  ['stage', 1],
  ['staged', 1],
  ['scan', 1],
  ['archived', 1],
  ['journal', 1],
  ['committing', 2],
  ['committed', 2],
];

class Violation extends Error {}

function expectThat(holds, message) {
  if (!holds) throw new Violation(message);
}

/** Starts a run in a process group of its own. `onLine` may kill it. Resolves to its lines when it is gone. */
function run(request, onLine = () => undefined) {
  return new Promise((resolve, reject) => {
    const options = { detached: true, stdio: ['ignore', 'pipe', 'inherit'] };
    const child = spawn(process.execPath, [helper('in-place-runner.mjs'), dist, JSON.stringify(request)], options);
    const lines = [];
    const kill = (wholeGroup) => {
      if (child.exitCode === null && child.signalCode === null) process.kill(wholeGroup ? -child.pid : child.pid, 9);
    };
    createInterface(child.stdout).on('line', (text) => {
      const line = JSON.parse(text);
      lines.push(line);
      onLine(line, kill);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ lines, code, signal, last: lines.at(-1) }));
  });
}

const requestFor = (root, more) => {
  return { root, storage: storageOf(root), sources: sourcesOf(root), excludes: [], ...more };
};

/** The instance with its backup, both states, and how long each phase takes. */
async function prepare(folder) {
  const root = join(folder, 'template');
  mkdirSync(root);
  makeSite(root, 300);
  const first = stateOf(root);
  const ref = await createBackup(root);
  changeSite(root);
  const second = stateOf(root);
  const measured = join(folder, 'measured');
  execFileSync('cp', ['-a', root, measured]);
  const request = requestFor(measured, { ref: join(storageOf(measured), basename(ref)) });
  const { lines, last } = await run(request);
  expectThat(last.at === 'result', `an undisturbed restore failed: ${last.message}`);
  expectThat(last.kept.length === 0, `an undisturbed restore kept ${JSON.stringify(last.kept)}`);
  const restored = restoredState(first, second);
  compare(measured, [['new', restored]], 'an undisturbed restore');
  rmSync(measured, { recursive: true });
  const starts = new Map(lines.map(({ at, ms }) => [at, ms]));
  return { root, ref: basename(ref), restored, second, starts, end: last.ms, changes: last.changes };
}

async function createBackup(root) {
  const { createBackup: create } = await import(`${dist}/operations/create-backup.js`);
  const { LocalStorage } = await import(`${dist}/storage/local-storage.js`);
  const storage = new LocalStorage(storageOf(root));
  const request = {
    ...{ instance: 'app', root, sources: sourcesOf(root), leftOut: [], excludes: [], level: 6, maxPause: 4000 },
    ...{ origin: 'manual', comment: undefined, lockWait: 0, quickCheck: true },
    destination: { kind: 'storage', storage, container: 'zip' },
  };
  const made = await create(request, await operationDeps());
  expectThat(made.complete, `the backup has losses: ${JSON.stringify(made.findings)}`);
  return made.file;
}

function choosePhase(random) {
  let left = random.below(phases.reduce((sum, [, weight]) => sum + weight, 0));
  return phases.find(([, weight]) => (left -= weight) < 0)[0];
}

/** Kills at a moment of a phase, or before a change; sometimes the one process alone, without the child it has. */
async function killedRestore(root, site, random) {
  const request = requestFor(root, { ref: join(storageOf(root), site.ref) });
  if (random.below(10) < 4) {
    const killAt = random.below(site.changes);
    return { ...(await run({ ...request, killAt })), where: `change ${killAt}` };
  }
  const phase = choosePhase(random);
  const from = site.starts.get(phase);
  const to = Math.min(site.end, ...[...site.starts.values()].filter((ms) => ms > from));
  const delay = random.below(Math.max(2, to - from));
  const wholeGroup = random.below(4) > 0;
  const killed = await run(request, (line, kill) => {
    if (line.at === phase) setTimeout(() => kill(wholeGroup), delay);
  });
  return { ...killed, where: `${phase} + ${delay} ms` };
}

/** Gives, by path in the root, the databases that now hold the commit. */
function intrude(root, id) {
  const paths = databases.map((path) => join(root, path));
  for (const path of alwaysThere) expectThat(existsSync(join(root, path)), `${path} was absent after the kill`);
  const { stdout, stderr } = spawnSync(process.execPath, [helper('in-place-application.mjs'), id, ...paths]);
  expectThat(stdout.length > 0, `the application failed: ${stderr.toString()}`);
  return JSON.parse(stdout.toString());
}

/** Recovers, perhaps killed before that. */
async function recover(root, random, changes) {
  const request = requestFor(root, { mode: 'recover' });
  let kills = 0;
  let ended;
  while (ended === undefined) {
    const isKilled = kills < 2 && random.below(10) < 4;
    const killAt = isKilled && random.below(2) === 0 ? random.below(changes) : -1;
    const delay = random.below(250);
    const one = await run({ ...request, killAt }, (line, kill) => {
      if (isKilled && killAt < 0 && line.at === 'begin') setTimeout(() => kill(true), delay);
    });
    if (one.signal === null) ended = one.last;
    else kills++;
  }
  expectThat(ended.at === 'result', `recover failed: ${ended.id} ${ended.message}`);
  return { ...ended, kills };
}

function compare(root, wanted, what) {
  const found = stateOf(root);
  const differences = wanted.map(([name, state]) => [name, differing(found, state)]);
  const same = differences.find(([, paths]) => paths.length === 0);
  const text = differences.map(([name, paths]) => `${name}: ${paths.slice(0, 5).join(', ')} (${paths.length})`);
  expectThat(same !== undefined, `${what} left neither state; differs from ${text.join('; from ')}`);
  return same[0];
}

const differing = (a, b) =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((path) => a[path] !== b[path]).sort();

/** What the result names: things that were kept, and things others made that were moved. */
const namedBy = ({ kept, unexpected }) => [
  ...kept.map(({ path }) => path),
  ...unexpected.flatMap((one) => (one.kind === 'moved' ? [one.at] : [])),
];

/** The lock, and the list of what was kept. */
const isOwn = /\/\.bkp-restore\/(?:\.lock[^/]*|kept-\d+\.json)$/;

function expectNothingElse(root, result) {
  const named = namedBy(result);
  const rooms = [join(root, '.bkp-restore'), ...roomsElsewhere(root)];
  const left = rooms.flatMap((room) => filesBelow(room)).filter((path) => !isOwn.test(path));
  const unnamed = left.filter((path) => !named.some((one) => path === one || path.startsWith(`${one}/`)));
  expectThat(unnamed.length === 0, `not named: ${unnamed.join(', ')}`);
  if (left.length > 0) return;
  const folders = rooms.flatMap((room) => (existsSync(room) ? readdirSync(room) : []));
  const empty = folders.filter((name) => !name.startsWith('.lock'));
  expectThat(empty.length === 0, `empty folders stayed: ${empty.join(', ')}`);
}

/** Another file system than that of temporary files, where there is one. */
const otherDisk = ['/dev/shm', '/var/tmp', '/tmp'].find(
  (path) => existsSync(path) && statSync(path).dev !== statSync(tmpdir()).dev,
);
let elsewhere;

/** Puts the uploads of an instance on another file system, behind a symbolic link. */
function moveElsewhere(root) {
  if (otherDisk === undefined) return;
  if (elsewhere !== undefined) rmSync(elsewhere, { recursive: true });
  elsewhere = mkdtempSync(join(otherDisk, 'kill-restore-'));
  execFileSync('cp', ['-a', join(root, 'var/uploads'), elsewhere]);
  rmSync(join(root, 'var/uploads'), { recursive: true });
  symlinkSync(join(elsewhere, 'uploads'), join(root, 'var/uploads'));
}

function roomsElsewhere(root) {
  if (!lstatSync(join(root, 'var/uploads')).isSymbolicLink()) return [];
  return readdirSync(elsewhere).flatMap((name) => (name.startsWith('.bkp-') ? [join(elsewhere, name)] : []));
}

function expectCommits(root, id, committed, result) {
  const places = [...databases.map((path) => join(root, path)), ...namedBy(result)].filter((path) => isDatabase(path));
  for (const path of committed) {
    const name = basename(path);
    const holding = places.filter((place) => basename(place) === name && committedTo(place).includes(id));
    expectThat(holding.length > 0, `the application's commit to ${path} is in nothing that is named`);
  }
}

const isDatabase = (path) => databases.some((one) => basename(one) === basename(path)) && existsSync(path);

function expectNoSidecars(root) {
  const stale = databases.flatMap((path) => ['-wal', '-shm', '-journal'].map((suffix) => join(root, path + suffix)));
  const found = stale.filter((path) => existsSync(path));
  expectThat(found.length === 0, `sidecars stayed: ${found.join(', ')}`);
}

/** Of the safety backup that was being made nothing is left but what is whole. */
function expectCleanStorage(root) {
  const names = readdirSync(storageOf(root));
  const odd = names.filter((name) => name.startsWith('.') && !/^\.(?:bkp\.lock|entries-[0-9a-f]+$)/.test(name));
  expectThat(odd.length === 0, `left in the storage: ${odd.join(', ')}`);
  const sides = names.filter((name) => /\.(?:sha256|locked)$/.test(name));
  const orphans = sides.filter((name) => !names.includes(name.replace(/\.(?:sha256|locked)$/, '')));
  expectThat(orphans.length === 0, `without an archive: ${orphans.join(', ')}`);
}

async function expectSafetyVerifies(root) {
  const unsound = await unsoundSafety(storageOf(root));
  expectThat(unsound.length === 0, unsound.join('; '));
}

async function playRound(root, site, random, number) {
  const killed = await killedRestore(root, site, random);
  const id = `round ${number}`;
  const committed = killed.signal !== null && random.below(10) < 4 ? intrude(root, id) : [];
  const result = await recover(root, random, site.changes);
  const what = `${killed.where}, ${committed.length > 0 ? 'an application, ' : ''}${result.kills} kills, ${result.outcome}`;
  try {
    if (committed.length === 0 || result.outcome !== 'nothing') expectNoSidecars(root);
    const merged = killed.last.at === 'result' ? { ...result, kept: [...killed.last.kept, ...result.kept] } : result;
    expectCommits(root, id, committed, merged);
    const state = compare(
      root,
      [
        ['old', site.second],
        ['new', site.restored],
      ],
      'it',
    );
    expectThat(result.outcome !== 'finished' || state === 'new', `it said finished, and the state is ${state}`);
    expectThat(result.outcome !== 'undone' || state === 'old', `it said undone, and the state is ${state}`);
    expectNothingElse(root, merged);
    expectCleanStorage(root);
    await expectSafetyVerifies(root);
    const where = killed.signal === null ? 'not killed' : killed.last.at;
    return { state, outcome: result.outcome, where, intruded: committed.length > 0, kills: result.kills };
  } catch (error) {
    if (error instanceof Violation) error.message = `${error.message} [${what}; last line ${killed.last.at}]`;
    throw error;
  }
}

function tally(rounds) {
  const counts = {};
  for (const { state, outcome, where, intruded, kills } of rounds) {
    const keys = [`state ${state}`, `recover ${outcome}`, `killed after "${where}"`];
    if (intruded) keys.push('an application committed in between');
    if (kills > 0) keys.push('recover killed too');
    for (const key of keys) counts[key] = (counts[key] ?? 0) + 1;
  }
  return Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { seed: { type: 'string' } } });
const count = Number(positionals[0] ?? 200);
const seed = Number(values.seed ?? process.pid);
const random = makeRandom(seed);
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'kill-restore-')));
const done = [];
let at = folder;
try {
  const site = await prepare(folder);
  for (let number = 0; number < count; number++) {
    at = join(folder, `round-${number}`);
    execFileSync('cp', ['-a', site.root, at]);
    if (number % 2 === 1) moveElsewhere(at);
    done.push(await playRound(at, site, random, number));
    rmSync(at, { recursive: true });
  }
  rmSync(folder, { recursive: true });
  if (elsewhere !== undefined) rmSync(elsewhere, { recursive: true });
  console.log(`${done.length} rounds, seed ${seed}: each ended with the old state or the new one`);
} catch (error) {
  console.error(`round ${done.length}, seed ${seed}: ${error instanceof Violation ? error.message : error.stack}`);
  console.error(`kept: ${at}`);
  process.exitCode = 1;
}
for (const [what, times] of tally(done)) console.log(`${String(times).padStart(5)}  ${what}`);
