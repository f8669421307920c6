// Lets system calls of real restores in place fail, and looks at what becomes of the instance:
//
//   node bench/fail-restore.mjs [--calls move,sync,…] [--codes EIO,…] [--once] [--recovery] [--share k/n] [-v]
//
// Each run restores a copy of one small instance with the command line under `strace`, which makes one call fail, or (not with
// `--once`) all from that one on: the n-th on its path, for each of them; where that is named anew each time the n-th of its
// kind in each thread, for strace counts by thread. With `--recovery` it is the recovery of a restore that was killed between
// its moves. Then, and after another `--recover` where something is left, the instance has to be the old one or the new one,
// the exit code and the message have to say so, and nothing may be left that is not named. Ends with 1 after violations; the
// first five folders are kept.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  changeSmallSite,
  filesBelow,
  makeSmallSite,
  restoredState,
  smallDatabases,
  stateOf,
} from '../test/helpers/in-place-site.mjs';
import { unsoundSafety } from './safety-proof.mjs';
import { callsByThread, isOn, kinds, pathsOf, targetsIn, traced } from './strace.mjs';

const binary = join(dirname(fileURLToPath(import.meta.url)), '../bin/bkp.js');

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: Object.keys(kinds).join(',') },
    codes: { type: 'string', default: 'ENOSPC,EIO,EACCES,EXDEV,EBUSY' },
    once: { type: 'boolean', default: false },
    recovery: { type: 'boolean', default: false },
    share: { type: 'string', default: '1/1' },
    verbose: { type: 'boolean', short: 'v', default: false },
  },
});

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'fail-restore-')));
const template = join(folder, 'template');
const root = join(folder, 'app');
const log = join(folder, 'trace');

/** One thread for asynchronous calls: with several it would be chance which one makes the n-th. */
const environment = { PATH: process.env.PATH, TMPDIR: folder, UV_THREADPOOL_SIZE: '1' };

/** The command line, perhaps under strace: from `/`, so that only paths of the instance name it. */
function bkp(args, under = []) {
  const [command, ...rest] = [...under, process.execPath, binary, ...args, '--json'];
  const { status, signal, stdout, stderr } = spawnSync(command, rest, { cwd: '/', env: environment, encoding: 'utf8' });
  const last = parsed(stdout.trim().split('\n').at(-1));
  return { code: status ?? signal, last, stdout, stderr: stderr.replaceAll(/^strace: .*\n/gm, '') };
}

function parsed(line) {
  try {
    return JSON.parse(line);
  } catch {
    return { type: 'none', message: line };
  }
}

const recover = (under) => bkp(['restore', '--recover', '-C', root], under);

/** What the faults are put into, on a fresh copy of the instance. */
function attempt(site, fault, kind) {
  rmSync(root, { recursive: true, force: true });
  cpSync(template, root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  const restore = (under) => bkp(['restore', site.id, '-C', root, '--confirm', site.id], under);
  if (!values.recovery) return restore(traced(log, kind, fault));
  const halfway = { path: join(root, 'app/pages'), inject: 'signal=KILL:when=1' };
  const killed = restore(traced(log, 'move', halfway));
  if (!hasJournal()) throw new Error(`it was not killed between its moves: ${killed.stdout}${killed.stderr}`);
  return recover(traced(log, kind, fault));
}

function prepare() {
  mkdirSync(template);
  makeSmallSite(template);
  const first = stateOf(template);
  const made = bkp(['create', '-C', template]);
  if (made.code !== 0) throw new Error(`no backup: ${made.stdout}${made.stderr}`);
  changeSmallSite(template);
  const second = stateOf(template);
  return { id: made.last.id, old: second, new: restoredState(first, second) };
}

/** What each kind can be put into, as one undisturbed run tells. */
function targetsOf(wanted, site) {
  const ran = attempt(site, undefined, wanted);
  if (ran.code !== 0) throw new Error(`an undisturbed run failed: ${ran.stdout}${ran.stderr}`);
  return wanted.map((kind) => ({ kind, targets: targetsIn(log, folder, kind) }));
}

const differing = (a, b) => [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((path) => a[path] !== b[path]);

/** What is excluded and could not be looked at may have been kept aside, and named, in place of being carried over. */
function stateNow(site, named) {
  const found = stateOf(root);
  const isAside = (path) =>
    !existsSync(join(root, path)) && named.some((one) => one.endsWith(`/${path.replace(/^app\//, '')}`));
  const isIn = (state) => differing(found, state).every((path) => isAside(path));
  if (isIn(site.old)) return 'old';
  if (isIn(site.new)) return 'new';
  return `neither: ${differing(found, site.old).slice(0, 4)} are not old, ${differing(found, site.new).slice(0, 4)} not new`;
}

const hasJournal = () =>
  existsSync(join(root, '.bkp-restore')) &&
  readdirSync(join(root, '.bkp-restore')).some((name) => /^journal\.\w+\.json$/.test(name));

/** What a run may end with while something fails. */
const honest = new Set([0, 1, 2, 3, 10, 11, 13, 14, 15, 17, 18]);

/** What is wrong with how a run ended, before anything else is done. */
function faultsOfEnding({ code, last, stderr }, state, calls) {
  const isDone = code === 0 || code === 3;
  const wrong = [
    [!honest.has(code), `exit ${code}`],
    [last.type !== (isDone ? 'summary' : 'error'), `the last line is ${JSON.stringify(last)}`],
    [stderr !== '', `on standard error: ${stderr}`],
    [last.id === 'internal', `a bug: ${last.message}`],
    [!isDone && !isNamed(last.message ?? '', calls), `the call is not named: ${last.message}`],
    // A configuration that cannot be read does not tell where to look for it.
    [code !== 2 && hasJournal() && !/--recover/.test(last.hint ?? ''), 'unfinished, and the hint does not say so'],
    [code === 17 && state !== 'old', `17, and the state is ${state}`],
    [isDone && state !== (last.outcome === 'undone' ? 'old' : 'new'), `${last.outcome}, and the state is ${state}`],
    [!existsSync(join(root, smallDatabases[0])), `${smallDatabases[0]} is absent`],
  ];
  return wrong.flatMap(([isWrong, text]) => (isWrong ? [text] : []));
}

async function play(site, fault, kind) {
  const ran = attempt(site, fault, kind);
  const failed = callsByThread(log)
    .flat()
    .filter((call) => call.endsWith('(INJECTED)') && isOn(folder, call));
  if (failed.length === 0) return undefined;
  const named = namedBy(ran.last);
  const violations = faultsOfEnding(ran, stateNow(site, named), failed);
  if (existsSync(join(root, '.bkp-restore'))) {
    const isUnfinished = hasJournal();
    const { code, last } = recover([]);
    if (code !== 0) violations.push(`--recover ended with ${code}: ${last.message}`);
    else if (isUnfinished === (last.outcome === 'nothing')) violations.push(`--recover said ${last.outcome}`);
    named.push(...namedBy(last));
  }
  const state = stateNow(site, named);
  if (!['old', 'new'].includes(state)) violations.push(`in the end ${state}`);
  violations.push(...unnamedLeftovers(named, ran.last), ...(await unsoundSafety(join(root, 'media/backups'))));
  const { code, last } = ran;
  return { kind, ...fault, code, id: last.id, message: last.message, failed, state, violations };
}

/** Whether the message tells one of the calls that failed, by its error and the file's name. */
function isNamed(message, calls) {
  return calls.some((call) => {
    const [, error] = /= -1 (\w+) /.exec(call) ?? [];
    const tells = error === 'ENOSPC' ? /no space|ENOSPC/.test(message) : message.includes(error);
    // SQLite tells its own code, and the database for what lies beside it.
    const isSqlites = /SQLITE_|unable to open|directory does not exist|lock file|it is locked/.test(message);
    const names = pathsOf(call).map((path) => basename(path).replace(/-(?:wal|journal)$/, ''));
    return (tells || isSqlites) && names.some((name) => message.includes(name));
  });
}

/** The lock, and the list of what was kept. */
const isOwn = /\/\.bkp-restore\/(?:\.lock[^/]*|kept-\d+\.json)$/;

function unnamedLeftovers(named, last) {
  const left = filesBelow(join(root, '.bkp-restore')).filter(
    (path) => !isOwn.test(path) && !named.some((one) => path === one || path.startsWith(`${one}/`)),
  );
  const beside = smallDatabases.flatMap((path) => ['-wal', '-shm', '-journal'].map((suffix) => `${path}${suffix}`));
  // One that could not be removed is named.
  const sidecars = beside.filter((path) => existsSync(join(root, path)) && !last.message?.includes(path));
  return [...left, ...sidecars].map((path) => `left and not named: ${path}`);
}

const namedBy = (line) => [
  ...(line.kept ?? []).map(({ path }) => path),
  ...(line.unexpected ?? []).flatMap(({ at }) => (at === null ? [] : [at])),
];

function* faults(site) {
  for (const { kind, targets } of targetsOf(values.calls.split(','), site)) {
    console.log(`${kind}: ${targets.length} calls`);
    for (const { path, n } of targets) {
      for (const code of values.codes.split(',')) {
        for (const lasting of values.once ? [''] : ['', '+']) {
          yield { kind, fault: { path, inject: `error=${code}:when=${n}${lasting}` } };
        }
      }
    }
  }
}

const site = prepare();
const [share, of] = values.share.split('/').map(Number);
const tally = new Map();
let [number, runs, violated] = [0, 0, 0];
for (const { kind, fault } of faults(site)) {
  if (number++ % of !== share - 1) continue;
  const result = await play(site, fault, kind);
  if (result === undefined) continue;
  runs++;
  const { code, id, state, violations } = result;
  const key = `${kind}: ${code}${code === 0 ? '' : ` ${id}`}, ${state}`;
  tally.set(key, (tally.get(key) ?? 0) + 1);
  if (violations.length > 0 && ++violated <= 5) {
    execFileSync('cp', ['-a', root, join(folder, `violation-${violated}`)]);
  }
  if (values.verbose || violations.length > 0) console.log(JSON.stringify(result));
}
for (const [key, count] of tally) console.log(`${String(count).padStart(5)}  ${key}`);
console.log(`${runs} runs, ${violated} violations${violated > 0 ? `; kept: ${folder}` : ''}`);
if (violated === 0) rmSync(folder, { recursive: true });
else process.exitCode = 1;
