// How long a restore in place takes against `unzip && sync` of the same archive, in one run, in turns:
//
//   node bench/restore-ratio.mjs [--files 20000] [--database-megabytes 150] [--megabytes 400] [--rounds 3]
//
// The instance is there and holds the same content, so that the restore stages, proves and checks everything, makes and proves
// a safety backup of everything, swaps, and removes what was there file by file. Tells medians and ratios.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const binary = join(here, '../bin/bkp.js');
const text = (value) => ({ type: 'string', default: value });
const { values } = parseArgs({
  options: { files: text('20000'), 'database-megabytes': text('150'), megabytes: text('400'), rounds: text('3') },
});

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'restore-ratio-')));
const site = join(folder, 'site');
const storage = join(site, 'var/backups');

/** Gives its last line. */
function bkp(...args) {
  const options = { encoding: 'utf8', maxBuffer: 2 ** 28 };
  const { status, stdout } = spawnSync(process.execPath, [binary, ...args, '-C', site, '--json'], options);
  const last = JSON.parse(stdout.trim().split('\n').at(-1));
  if (status !== 0) throw new Error(`bkp ${args.join(' ')} ended with ${status}: ${JSON.stringify(last)}`);
  return last;
}

/** Seconds, from a disk that has nothing to do. */
function timed(action) {
  execFileSync('sync');
  const started = performance.now();
  action();
  return (performance.now() - started) / 1000;
}

function restored(id, ...flags) {
  const { kept } = bkp('restore', id, '--confirm', id, ...flags);
  // Without a safety backup all of before is kept; else nothing.
  if (flags.length === 0 && kept.length > 0) throw new Error(`kept ${kept[0].path}`);
}

function forgetSafety() {
  for (const name of readdirSync(storage).filter((one) => one.includes('-safety'))) rmSync(join(storage, name));
  rmSync(join(site, '.bkp-restore'), { recursive: true, force: true });
}

const ways = {
  'unzip && sync': ({ file }) =>
    execFileSync('sh', ['-c', 'unzip -q "$0" -d "$1" && sync', file, join(folder, 'unzipped')]),
  'bkp restore': ({ id }) => restored(id),
  'bkp restore -q': ({ id }) => restored(id, '-q'),
  'bkp restore -q --no-safety-backup': ({ id }) => restored(id, '-q', '--no-safety-backup'),
};

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

try {
  const { rounds, ...shape } = values;
  const flags = Object.entries(shape).flatMap(([name, value]) => [`--${name}`, value]);
  execFileSync(process.execPath, [join(here, 'make-site.mjs'), site, ...flags]);
  const { id, file, counts } = bkp('create');
  const bytes = statSync(file).size;
  console.log(`${counts.files} files, ${counts.contentBytes} bytes of content, ${basename(file)} of ${bytes} bytes`);
  const times = new Map(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round < Number(rounds); round++) {
    for (const [name, way] of Object.entries(ways)) {
      times.get(name).push(timed(() => way({ id, file })));
      rmSync(join(folder, 'unzipped'), { recursive: true, force: true });
      forgetSafety();
    }
  }
  const against = median(times.get('unzip && sync'));
  for (const [name, seconds] of times) {
    const all = seconds.map((one) => one.toFixed(1)).join(', ');
    const middle = median(seconds);
    console.log(`${name.padEnd(35)} ${middle.toFixed(1)} s (${all})  ${(middle / against).toFixed(2)} to 1`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
