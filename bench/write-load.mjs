// Writes to a site as the CMS does, so that backups can be proven consistent under load:
//
//   node bench/write-load.mjs <site> [--seconds 60] [--pause-ms 20]
//
// user.brain is attached to a connection on system.brain, and one transaction after the other adds 1 to the counter
// `commits` of both. In a consistent backup the two values are equal. At the end, and at TERM or INT, it prints one JSON
// line: `commits`, `errors` (transactions that failed), and `maxWaitMs`, the longest that one transaction took.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';

const busyTimeoutMs = 5000;

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seconds: { type: 'string', default: '60' }, 'pause-ms': { type: 'string', default: '20' } },
  });
  const [seconds, pauseMs] = [Number(values.seconds), Number(values['pause-ms'])];
  if (positionals.length !== 1 || !(seconds > 0) || !(pauseMs >= 0)) {
    throw new Error('Usage: node bench/write-load.mjs <site> [--seconds 60] [--pause-ms 20]');
  }
  return { site: positionals[0], seconds, pauseMs };
}

/** Gives the function that commits once; throws what SQLite throws. */
function openWriter(site) {
  const user = join(site, 'var/user.brain');
  // ATTACH would make a missing file.
  if (!existsSync(user)) throw new Error(`${user} does not exist.`);
  const db = new Database(join(site, 'var/system.brain'), { fileMustExist: true, timeout: busyTimeoutMs });
  db.prepare('ATTACH ? AS user').run(user);
  const updates = ['main', 'user'].map((name) =>
    db.prepare(`UPDATE ${name}.counters SET value = value + 1 WHERE name = 'commits'`),
  );
  const write = db.transaction(() => {
    for (const update of updates) {
      if (update.run().changes !== 1) throw new Error('There is no counter `commits` in both databases.');
    }
  });
  return { commit: () => write.immediate(), close: () => db.close() };
}

const { site, seconds, pauseMs } = readArguments();
const writer = openWriter(site);
const result = { commits: 0, errors: 0, maxWaitMs: 0 };
let stopped = false;
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => (stopped = true));

const end = performance.now() + seconds * 1000;
while (!stopped && performance.now() < end) {
  const started = performance.now();
  try {
    writer.commit();
    result.commits++;
  } catch (error) {
    result.errors++;
    console.error(error.message);
  }
  result.maxWaitMs = Math.max(result.maxWaitMs, Math.round(performance.now() - started));
  await sleep(pauseMs);
}
writer.close();
console.log(JSON.stringify(result));
