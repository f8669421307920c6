// Records runs in a process of its own. Arguments: the built catalogue module, the storage, how many runs (0: until killed).
// Prints a line once the first has ended, and at its end what the catalogue warned of.
import { setTimeout as sleep } from 'node:timers/promises';

const [module, folder, count] = process.argv.slice(2);
const { openCatalog } = await import(module);
const clock = { now: () => 1_761_825_600_000, monotonic: () => performance.now() };
const catalog = await openCatalog(folder, clock);
for (let n = 0; n < Number(count) || Number(count) === 0; n += 1) {
  const run = catalog.beginRun({ kind: 'create', instance: 'app', schedule: 'daily' });
  run.step('named', 'one step');
  run.finding({ kind: 'note', id: 'special-file', message: 'one finding' });
  run.end({ exitCode: 0 });
  if (n === 0) process.stdout.write('recording\n');
  // No backup is over so soon.
  if (Number(count) !== 0) await sleep(Math.random() * 50);
}
process.stdout.write(`${catalog.warning ?? 'no warning'}\n`);
