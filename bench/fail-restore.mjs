// Lets system calls of real restores in place fail, and looks at what becomes of the instance:
//
//   node bench/fail-restore.mjs [--calls move,sync,…] [--codes EIO,…] [--lasting | --once] [--share k/n] [-v]
//
// Each run restores a copy of one small instance with the command line under `strace`, which makes the n-th call of a kind
// fail (in each thread, for strace counts by thread), once or from then on. After a failure, and after `--recover` where that
// is asked for, the instance has to be the old one or the new one. Every violation is told; the first folders are kept.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from 'node:fs';
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

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, '../dist');
const binary = join(here, '../bin/bkp.js');

/** Kinds of calls. A question mark: not on every architecture. */
const kinds = {
  move: ['?rename', 'renameat', 'renameat2', '?link', 'linkat'],
  remove: ['?unlink', 'unlinkat', '?rmdir'],
  make: ['?mkdir', 'mkdirat', '?symlink', 'symlinkat'],
  sync: ['fsync', 'fdatasync'],
  write: ['write', 'pwrite64', 'writev'],
  truncate: ['ftruncate'],
  metadata: ['fchmod', '?chmod', 'fchmodat', 'utimensat', 'fchown', '?lchown', 'fchownat'],
  open: ['?open', 'openat'],
  list: ['getdents64'],
  read: ['read', 'pread64', '?readlink', 'readlinkat'],
  look: ['?stat', '?lstat', 'fstat', 'newfstatat', 'statx', 'statfs', '?access', 'faccessat'],
};
const codes = ['ENOSPC', 'EIO', 'EACCES', 'EXDEV', 'EBUSY'];

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: Object.keys(kinds).join(',') },
    codes: { type: 'string', default: codes.join(',') },
    once: { type: 'boolean', default: false },
    lasting: { type: 'boolean', default: false },
    share: { type: 'string', default: '1/1' },
    verbose: { type: 'boolean', short: 'v', default: false },
  },
});

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'fail-restore-')));
const template = join(folder, 'template');
const log = join(folder, 'trace');

const environment = { PATH: process.env.PATH, TMPDIR: folder, UV_THREADPOOL_SIZE: '1' };

/** The command line, perhaps under strace: from `/`, so that only paths of the instance name it. */
function bkp(args, under = []) {
  const [command, ...rest] = [...under, process.execPath, binary, ...args];
  const { status, signal, stdout, stderr } = spawnSync(command, rest, { cwd: '/', env: environment, encoding: 'utf8' });
  const lines = stdout.split('\n').flatMap((line) => parsed(line));
  return { code: status ?? signal, lines, last: lines.at(-1), stdout, stderr };
}

function parsed(line) {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}

const restoreArgs = (root, id) => ['restore', id, '-C', root, '--confirm', id, '--json'];

const traced = (kind, { path, inject } = {}) => {
  const set = kinds[kind].join(',');
  const more = [
    ...(inject === undefined ? [] : ['-e', `inject=${set}:${inject}`]),
    ...(path === undefined ? [] : ['-P', path]),
  ];
  return [
    'strace',
    '-f',
    '--seccomp-bpf',
    '-qq',
    '-y',
    '-s',
    '300',
    '-o',
    log,
    '-e',
    `trace=${set}`,
    '-e',
    'signal=none',
    ...more,
  ];
};

/** Calls on the instance by thread, in order, and not those on modules, pipes and /proc. */
const isOurs = (line) => line.includes(folder) || line.includes('"/proc/self/fd/');

function callsByThread() {
  const threads = new Map();
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const [, thread, call] = /^(\d+) +(\w+\(.*)$/.exec(line) ?? [];
    if (call === undefined) continue;
    if (!threads.has(thread)) threads.set(thread, []);
    threads.get(thread).push(call);
  }
  return [...threads.values()];
}

/** Named anew in each run: the safety backup by its time, files written aside by chance, and what is opened through /proc. */
const isNamedAnew = (path) => /\d{8}T\d{6}Z-safety|\.[0-9a-f]{8}\.partial$|^\/proc\//.test(path);

const pathsOf = (call) =>
  [...call.matchAll(/["<]([^"<>]*)[">]/g)].map(([, path]) => path).filter((path) => path.startsWith('/'));

/** Which calls are to fail: the n-th on a path where that is the same in each run, the n-th of its thread otherwise. */
function targetsOf(kind, site) {
  const ran = bkp(restoreArgs(freshCopy(), site.id), traced(kind));
  if (ran.code !== 0) throw new Error(`an undisturbed restore failed: ${ran.stdout}${ran.stderr}`);
  const targets = new Map();
  for (const calls of callsByThread()) {
    calls.forEach((call, at) => {
      if (!isOurs(call)) return;
      const path = pathsOf(call).find((one) => one.startsWith(folder) && !isNamedAnew(one));
      const same = (other) => pathsOf(other).includes(path);
      const n = path === undefined ? at + 1 : calls.slice(0, at + 1).filter(same).length;
      targets.set(`${path} ${n}`, { path, n });
    });
  }
  return [...targets.values()];
}

function freshCopy() {
  const root = join(folder, 'app');
  rmSync(root, { recursive: true, force: true });
  cpSync(template, root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  return root;
}

function prepare() {
  mkdirSync(template);
  makeSmallSite(template);
  const first = stateOf(template);
  const made = bkp(['create', '-C', template, '--json']);
  if (made.code !== 0) throw new Error(`no backup: ${made.stdout}${made.stderr}`);
  changeSmallSite(template);
  const second = stateOf(template);
  return { id: made.last.id, old: second, new: restoredState(first, second) };
}

const differing = (a, b) => [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((path) => a[path] !== b[path]);

/** Old or new; `aside`: what is excluded and could not be looked at may have been kept aside and named in place of carried. */
function stateIn(root, site, violations, aside = []) {
  const isAside = (path) =>
    aside.some((kept) => kept.endsWith(`/${path.replace(/^app\//, '')}`)) && !existsSync(join(root, path));

  const found = stateOf(root);
  for (const name of ['old', 'new']) if (differing(found, site[name]).every((path) => isAside(path))) return name;
  const texts = ['old', 'new'].map((name) => `${name}: ${differing(found, site[name]).slice(0, 4).join(', ')}`);
  violations.push(`neither state; differs from ${texts.join('; from ')}`);
  return 'neither';
}

const hasJournal = (root) =>
  existsSync(join(root, '.bkp-restore')) &&
  readdirSync(join(root, '.bkp-restore')).some((name) => /^journal\.\w+\.json$/.test(name));

const honest = new Set([0, 1, 2, 3, 10, 11, 13, 14, 15, 17, 18]);

async function play(kind, fault, site) {
  const root = freshCopy();
  const ran = bkp(restoreArgs(root, site.id), traced(kind, fault));
  const hits = callsByThread()
    .flat()
    .filter((call) => call.endsWith('(INJECTED)'));
  const ours = hits.filter(isOurs);
  const violations = [];
  const { code, last } = ran;
  if (ours.length === 0) return undefined;
  if (!honest.has(code)) violations.push(`exit ${code}`);
  if (last?.type !== (code === 0 || code === 3 ? 'summary' : 'error'))
    violations.push(`last line: ${JSON.stringify(last)}`);
  const stderr = ran.stderr.replaceAll(/^strace: .*\n/gm, '');
  if (stderr !== '') violations.push(`on standard error: ${stderr}`);
  if (last?.id === 'internal') violations.push(`a bug: ${last.message}`);
  const left = hasJournal(root);
  if (left && code !== 18 && !/--recover/.test(last?.hint ?? '')) violations.push(`unfinished, and it does not say so`);
  let named = namedBy(last);
  if (code === 17 && stateIn(root, site, violations) !== 'old') violations.push('17, but not the old state');
  if (code === 0 && stateIn(root, site, violations, named) !== 'new') violations.push('0, but not the new state');
  if (!existsSync(join(root, smallDatabases[0]))) violations.push(`${smallDatabases[0]} is absent`);
  if (existsSync(join(root, '.bkp-restore'))) {
    const recovered = bkp(['restore', '--recover', '-C', root, '--json']);
    if (recovered.code !== 0) violations.push(`--recover ended with ${recovered.code}: ${recovered.last?.message}`);
    if (left && recovered.last?.outcome === 'nothing') violations.push('--recover had nothing to do');
    if (!left && recovered.last?.outcome !== 'nothing') violations.push('--recover had something to do');
    named = [...named, ...namedBy(recovered.last)];
  }
  const state = stateIn(root, site, violations, named);
  if (code !== 0 && !isNamed(last?.message ?? '', ours)) violations.push('the call is not named');
  const stray = filesBelow(join(root, '.bkp-restore')).filter(
    (path) => !isOwn.test(path) && !named.some((one) => path === one || path.startsWith(`${one}/`)),
  );
  if (stray.length > 0) violations.push(`not named: ${stray.slice(0, 4).join(', ')}`);
  const stale = smallDatabases.flatMap((path) => ['-wal', '-shm', '-journal'].map((suffix) => path + suffix));
  // One whose removal is what failed is named.
  const sidecars = stale.filter((path) => existsSync(join(root, path)) && !last?.message?.includes(path));
  if (sidecars.length > 0) violations.push(`sidecars: ${sidecars.join(', ')}`);
  await expectSafetyVerifies(join(root, 'media/backups'), violations);
  return {
    kind,
    ...fault,
    code,
    id: last?.id,
    message: last?.message ?? '',
    ours,
    hits,
    state,
    left,
    violations,
    steps: ran.lines.filter(({ type }) => type === 'step').map(({ id }) => id),
  };
}

/** Whether the message tells one of the calls that failed, by its error and the file's name. */
function isNamed(message, calls) {
  return calls.some((call) => {
    const [, error] = /= -1 (\w+) /.exec(call) ?? [];
    const tells = error === 'ENOSPC' ? /no space|ENOSPC/.test(message) : message.includes(error);
    // SQLite tells its own code, and the database for what lies beside it.
    const isSqlites = /SQLITE_|unable to open|directory does not exist|lock file/.test(message);
    const names = pathsOf(call).map((path) => basename(path).replace(/-(?:wal|journal)$/, ''));
    return (tells || isSqlites) && names.some((name) => message.includes(name));
  });
}

/** The lock, and the list of what was kept. */
const isOwn = /\/\.bkp-restore\/(?:\.lock[^/]*|kept-\d+\.json)$/;

const namedBy = (line) => [
  ...(line?.kept ?? []).map(({ path }) => path),
  ...(line?.unexpected ?? []).flatMap(({ at }) => (at === null ? [] : [at])),
];

async function expectSafetyVerifies(storage, violations) {
  const { verifyBackup } = await import(`${dist}/operations/verify-backup.js`);
  const { fileBackup } = await import(`${dist}/operations/backup-file.js`);
  const { systemClock } = await import(`${dist}/base/clock.js`);
  const { silentProgress } = await import(`${dist}/base/progress.js`);
  const deps = {
    ...{ clock: systemClock, progress: silentProgress, signal: new globalThis.AbortController().signal },
    ...{ temporaryFolder: tmpdir(), host: 'test.example', version: '0.0.0-test', step: () => undefined },
  };
  for (const name of readdirSync(storage).filter((one) => /-safety\.zip$/.test(one))) {
    const { verdict } = await verifyBackup(
      { file: fileBackup(join(storage, name)), quick: false, allowRepacked: false },
      deps,
    );
    if (verdict !== 'intact' && verdict !== 'incomplete') violations.push(`${name} is ${verdict}`);
  }
}

const site = prepare();
const results = [];
let violated = 0;
const [share, of] = values.share.split('/').map(Number);
let number = 0;
for (const kind of values.calls.split(',')) {
  const targets = targetsOf(kind, site);
  if (values.verbose) console.log(`${kind}: ${targets.length} calls`);
  for (const { path, n } of targets) {
    for (const code of values.codes.split(',')) {
      for (const lasting of [...(values.lasting ? [] : [false]), ...(values.once ? [] : [true])]) {
        if (number++ % of !== share - 1) continue;
        const result = await play(kind, { path, inject: `error=${code}:when=${n}${lasting ? '+' : ''}` }, site);
        if (result === undefined) continue;
        results.push(result);
        const bad = result.violations.length > 0;
        if (bad) violated++;
        if (bad && violated <= 5)
          execFileSync('cp', ['-a', join(folder, 'app'), join(folder, `violation-${violated}`)]);
        if (values.verbose || bad) {
          console.log(JSON.stringify({ ...result, ours: result.ours.slice(0, 3), hits: result.hits.length }));
        }
      }
    }
  }
}
const tally = new Map();
for (const { kind, code, id, state } of results) {
  const key = `${kind}: ${code} ${code === 0 ? '' : id} → ${state}`;
  tally.set(key, (tally.get(key) ?? 0) + 1);
}
for (const [key, count] of tally) console.log(`${String(count).padStart(5)}  ${key}`);
console.log(`${results.length} runs, ${violated} violations${violated > 0 ? `; kept: ${folder}` : ''}`);
if (violated === 0) rmSync(folder, { recursive: true });
else process.exitCode = 1;
