// The command line in a process that stays: node resident-cli.mjs, with a channel. For each message {args, cwd, env, mark} it
// does what bin/bkp.js does, with the same standard output and error; it writes `mark` to both when nothing of the run
// would keep a process alive any more, and answers {code, peakKiB, cpuMs}. Threads and a process for databases stay too.
import { setImmediate } from 'node:timers/promises';
import { readFileSync, writeFileSync, writeSync } from 'node:fs';
import { main } from '../../dist/cli.js';
import { CompressPool } from '../../dist/compress/pool.js';
import { sqliteChildOnDemand } from '../../dist/sqlite/child-on-demand.js';

for (const emitter of [process, process.stdout, process.stderr]) emitter.setMaxListeners(0);
// Loaded now, so that what stays of loading is there before the first run.
await import('../../dist/run.js');
const kept = { pool: new CompressPool(), sqlite: sqliteChildOnDemand() };
kept.sqlite.start();

const signals = ['SIGHUP', 'SIGINT', 'SIGTERM'];

/** How many there are of each kind of what keeps a process alive. */
function alive() {
  const counts = {};
  for (const kind of process.getActiveResourcesInfo()) {
    if (kind !== 'Immediate') counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

async function ended(before) {
  for (;;) {
    await setImmediate();
    if (Object.entries(alive()).every(([kind, count]) => count <= (before[kind] ?? 0))) return;
    // Not a timer, which would be one of them.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
}

/** Of memory, since it was forgotten last; of the whole process where that cannot be had. */
function peakKiB() {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  } catch {
    return process.resourceUsage().maxRSS;
  }
}

function forgetPeak() {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Elsewhere it can only grow.
  }
}

process.on('message', async ({ args, cwd, env, mark }) => {
  process.chdir(cwd);
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  const before = alive();
  const began = process.cpuUsage();
  forgetPeak();
  await main(args, kept);
  const code = process.exitCode;
  await ended(before);
  const { user, system } = process.cpuUsage(began);
  for (const signal of signals) process.removeAllListeners(signal);
  process.exitCode = undefined;
  for (const descriptor of [1, 2]) writeSync(descriptor, mark);
  process.send({ code, peakKiB: peakKiB(), cpuMs: Math.round((user + system) / 1000) });
});
// What stays would keep it alive.
process.on('disconnect', () => process.exit());
process.send({ ready: true });
