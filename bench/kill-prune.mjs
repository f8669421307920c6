// Kills runs that remove backups with SIGKILL, and looks at what becomes of the backups:
//
//   node bench/kill-prune.mjs [rounds=100] [--seed n]
//
// Each round takes a copy of one instance whose schedules have made backups for days, and kills `bkp prune`, which removes
// several, or `bkp create --schedule`, which makes one, copies it, and removes up to two in each of two folders: at a random
// moment, or (where strace is there) just before a random change of the file system. Then each backup that is listed has to
// verify, what retention and locks protect has to be there, and the next runs have to go through at once and to leave nothing
// of the killed one. Ends with 1 at the first violation, and keeps that round's folder.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeRandom } from '../fixtures/build-site.mjs';
import { endResident } from './resident.mjs';
import {
  binary,
  bkp,
  copiesOf,
  environment,
  keeps,
  leftovers,
  listed,
  makeScheduledSite,
  named,
  rootOf,
  storageOf,
  unproven,
} from './scheduled-site.mjs';
import { callsByThread, kinds, traced } from './strace.mjs';

class Violation extends Error {}

function expectThat(holds, message) {
  if (!holds) throw new Violation(message);
}

const schedules = Object.keys(keeps);
const createOf = (schedule) => ['create', '--schedule', schedule];

/** Kinds of calls that change the file system. */
const changes = ['move', 'remove', 'make', 'sync', 'truncate'];
const hasStrace = spawnSync('strace', ['-V']).status === 0;

/** Starts a run in a process group of its own, to be killed after so many milliseconds. */
function run(folder, args, { under = [], killAfter }) {
  return new Promise((resolve, reject) => {
    const [command, ...rest] = [...under, process.execPath, binary, ...args, '--json'];
    const options = { cwd: rootOf(folder), env: environment, detached: true, stdio: 'ignore' };
    const started = performance.now();
    const child = spawn(command, rest, options);
    const kill = () => process.kill(-child.pid, 'SIGKILL');
    const timer = killAfter === undefined ? undefined : setTimeout(kill, killAfter);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, killed: signal === 'SIGKILL', milliseconds: Math.ceil(performance.now() - started) });
    });
  });
}

/** How long each command takes where nobody disturbs it, and how many changes of each kind it makes: as strace counts them. */
async function measure(folder, site) {
  const measured = [];
  for (const args of [['prune'], createOf(schedules[0])]) {
    const undisturbed = () => {
      const at = join(folder, 'measured');
      rmSync(at, { recursive: true, force: true });
      execFileSync('cp', ['-a', site, at]);
      return at;
    };
    const { code, milliseconds } = await run(undisturbed(), args, {});
    expectThat(code === 0, `${args.join(' ')} ended with ${code}, undisturbed`);
    const log = join(folder, 'trace');
    if (hasStrace) await run(undisturbed(), args, { under: traced(log, changes) });
    measured.push({ milliseconds, most: hasStrace ? mostByKind(log) : [] });
  }
  rmSync(join(folder, 'measured'), { recursive: true });
  return measured;
}

/** Strace counts the calls of one name in one thread: of those of a kind, the highest count. */
function mostByKind(log) {
  const threads = callsByThread(log);
  return changes.flatMap((kind) => {
    const names = kinds[kind].map((name) => `${name.replace('?', '')}(`);
    const counts = threads.flatMap((calls) =>
      names.map((name) => calls.filter((call) => call.startsWith(name)).length),
    );
    const most = Math.max(0, ...counts);
    return most === 0 ? [] : [{ kind, most }];
  });
}

/** Of those before a change every other one is before a removal, which are few among all. */
async function killedRun(folder, random, measured) {
  const isPrune = random.below(3) === 0;
  const args = isPrune ? ['prune'] : createOf(schedules[random.below(schedules.length)]);
  const { milliseconds, most } = measured[isPrune ? 0 : 1];
  if (most.length === 0 || random.below(3) === 0) {
    const killAfter = random.below(milliseconds);
    return { ...(await run(folder, args, { killAfter })), where: `${args.join(' ')}, after ${killAfter} ms` };
  }
  const removals = most.filter(({ kind }) => kind === 'remove');
  const chosen = random.below(2) === 0 && removals.length > 0 ? removals : most;
  const { kind, most: calls } = chosen[random.below(chosen.length)];
  const n = 1 + random.below(calls);
  const under = traced('/dev/null', kind, { inject: `signal=SIGKILL:when=${n}` });
  return { ...(await run(folder, args, { under })), where: `${args.join(' ')}, before call ${n} of kind ${kind}` };
}

const isGood = ({ status }) => status === 'ok';
const idsOf = (backups) => new Set(backups.map(({ id }) => id));

/** What no run may have removed. */
function expectProtected(before, after, what) {
  const there = idsOf(after);
  const gone = (wanted) => wanted.map(({ id }) => id).filter((id) => !there.has(id));
  for (const { id, locked } of before.filter((backup) => backup.locked || backup.origin === 'manual')) {
    const now = after.find((backup) => backup.id === id);
    expectThat(
      now !== undefined && now.locked === locked,
      `${what}: ${id}, which nothing removes, is gone or unlocked`,
    );
  }
  for (const schedule of schedules) {
    const known = new Map([...after, ...before].map((backup) => [backup.id, backup]));
    const counted = [...known.values()]
      .filter(({ origin, locked }) => origin === schedule && !locked)
      .toSorted((a, b) => (a.id < b.id ? 1 : -1));
    const kept = [
      ...counted.filter(isGood).slice(0, keeps[schedule]),
      ...counted.filter(({ status }) => status === 'incomplete').slice(0, 2),
    ];
    const lost = gone(kept);
    expectThat(lost.length === 0, `${what}: retention keeps ${lost.join(', ')}, and it is gone`);
  }
}

function expectProven(folder, what) {
  for (const storage of [storageOf(folder), copiesOf(folder)]) {
    const wrong = [...unproven(storage)];
    expectThat(wrong.length === 0, `${what}, in ${storage}: ${wrong.join('; ')}`);
  }
}

/** Everything that is listed is intact; some are incomplete, and say so. */
async function expectVerifies(folder) {
  const { code, last } = await bkp(folder, ['verify', '--all']);
  expectThat(code === 3, `verify ended with ${code}: ${JSON.stringify(last)}`);
}

async function expectGoesThrough(folder, args) {
  const { code, last, stderr } = await bkp(folder, args);
  expectThat(code === 0, `the next ${args.join(' ')} ended with ${code}: ${JSON.stringify(last)} ${stderr}`);
}

function expectClean(storage, what) {
  const left = leftovers(storage);
  expectThat(left.length === 0, `${what} left in ${storage}: ${left.join(', ')}`);
}

async function expectNoneMissing(folder) {
  const { lines } = await bkp(folder, ['status']);
  const problems = lines.filter(({ type }) => type === 'problem');
  const wrong = problems.filter(({ id }) => id === 'backup-missing' || id === 'backup-damaged');
  expectThat(wrong.length === 0, `status: ${JSON.stringify(wrong)}`);
}

async function playRound(folder, before, random, measured) {
  const killed = await killedRun(folder, random, measured);
  try {
    const after = await listed(folder);
    expectProtected(before, after, 'after the kill');
    expectProven(folder, 'after the kill');
    await expectVerifies(folder);
    const next = [['prune'], createOf(schedules[random.below(schedules.length)])];
    if (random.below(2) === 0) next.reverse();
    for (const args of next) {
      await expectGoesThrough(folder, args);
      expectClean(storageOf(folder), args.join(' '));
      if (args[0] === 'create') expectClean(copiesOf(folder), args.join(' '));
    }
    expectProtected(after, named(folder), 'after the next runs');
    expectProven(folder, 'after the next runs');
    await expectNoneMissing(folder);
    const removed = before.filter(({ id }) => !idsOf(after).has(id)).length;
    return { ...killed, made: after.length - before.length + removed, removed };
  } catch (error) {
    if (error instanceof Violation) error.message = `${error.message} [${killed.where}]`;
    throw error;
  }
}

function tally(rounds) {
  const counts = {};
  for (const { where, killed, removed, made } of rounds) {
    const command = where.replace(/,.*/, '');
    const keys = [`${command}: ${killed ? 'killed' : 'came to its end'}`];
    if (killed) keys.push(`${command}: killed after ${removed} were removed${made > 0 ? ' and one was made' : ''}`);
    for (const key of keys) counts[key] = (counts[key] ?? 0) + 1;
  }
  return Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { seed: { type: 'string' } } });
const count = Number(positionals[0] ?? 100);
const seed = Number(values.seed ?? process.pid);
const random = makeRandom(seed);
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'kill-prune-')));
const done = [];
let at = folder;
try {
  const site = join(folder, 'template');
  mkdirSync(site);
  await makeScheduledSite(site);
  const before = await listed(site);
  const measured = await measure(folder, site);
  for (let number = 0; number < count; number++) {
    at = join(folder, `round-${number}`);
    execFileSync('cp', ['-a', site, at]);
    done.push(await playRound(at, before, random, measured));
    rmSync(at, { recursive: true });
  }
  rmSync(folder, { recursive: true });
  console.log(`${done.length} rounds, seed ${seed}: what is to stay stayed, and nothing else was left`);
} catch (error) {
  console.error(`round ${done.length}, seed ${seed}: ${error instanceof Violation ? error.message : error.stack}`);
  if (existsSync(at)) console.error(`kept: ${at}`);
  process.exitCode = 1;
}
endResident();
for (const [what, times] of tally(done)) console.log(`${String(times).padStart(5)}  ${what}`);
