// One restore in place, or the recovery of one, as a process of its own: node in-place-runner.mjs <dist> <request as JSON>.
// Writes one line of JSON for each moment: {"at": …, "ms": …}; the last is {"at": "result", …} or {"at": "failed", …}.
// `killAt`: kills its whole process group just before that change of the file system, counted from 0.
import { writeSync } from 'node:fs';

const [dist, json] = process.argv.slice(2);
const load = (path) => import(`${dist}/${path}.js`);
const { root, storage: folder, sources, excludes, mode, ref, killAt = -1, safetyBackup = true } = JSON.parse(json);
const started = performance.now();
const tell = (at, more = {}) => {
  writeSync(1, `${JSON.stringify({ at, ms: Math.round(performance.now() - started), ...more })}\n`);
};

const { LocalStorage } = await load('storage/local-storage');
const { systemClock } = await load('base/clock');
const { withCleanup } = await load('base/cleanup');
const { fileBackup } = await load('operations/backup-file');
const { planInPlace } = await load('operations/plan-in-place');
const { restoreInPlace } = await load('operations/restore-in-place');
const { recoverRestore } = await load('operations/recover-restore');
const { noHooks } = await load('operations/run-hooks');
const { systemSwapIo } = await load('fs/swap-io');

let changes = 0;
const io = { ...systemSwapIo };
for (const call of ['link', 'rename', 'unlink', 'makeFolder']) {
  io[call] = (...paths) => {
    if (changes++ === killAt) process.kill(-process.pid, 'SIGKILL');
    systemSwapIo[call](...paths);
    const phase = /\/journal\.(\w+)\.json$/.exec(paths[1] ?? '')?.[1];
    if (phase !== undefined) tell(phase);
  };
}
io.writeFile = async (...given) => {
  tell('journal');
  await systemSwapIo.writeFile(...given);
};
const storage = new LocalStorage(folder);
const deps = {
  clock: systemClock,
  progress: { start: (phase) => tell(phase), advance: () => undefined, finish: () => undefined },
  signal: new globalThis.AbortController().signal,
  temporaryFolder: root.replace(/\/[^/]+$/, ''),
  host: 'test.example',
  version: '0.0.0-test',
  step: (id) => tell(id),
};

function restore() {
  return withCleanup(async (cleanup) => {
    const request = {
      ...{ file: fileBackup(ref), instance: 'app', root, configured: sources, excludes, storage, only: undefined },
      ...{ owner: { kind: 'target' }, allowUnverified: false, allowRepacked: false, safetyBackup, compare: false },
    };
    const plan = await planInPlace(request, deps, cleanup);
    return restoreInPlace(plan, { level: 1, lockWait: 5000, hooks: noHooks, io }, deps);
  });
}

tell('begin');
try {
  const done =
    mode === 'recover'
      ? await recoverRestore({ root, configured: sources, storage, lockWait: 5000, io }, deps)
      : await restore();
  const { outcome = 'restored', kept, unexpected, safety, findings } = done;
  tell('result', { outcome, kept, unexpected, safety: safety?.file, findings, changes });
} catch (error) {
  tell('failed', { id: error.id, message: error.message, stack: error.stack });
  process.exitCode = 1;
}
