// Compares bkp with every other tool that is found on this machine, on the same data in one run:
//
//   node bench/compare.mjs [--site bench/data/compare] [--work <folder>] [--runs 3] [--only <text>] [--json <file>]
//
// Without a site it makes one of 700 MB: a text-rich WAL database of 300 MB, 20,000 small JSON files, media. Each job is
// run once unmeasured, then `--runs` times, all jobs in turn; what is compared are medians.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bytesOf, jobs } from './compare/jobs.mjs';
import { isThere, measure, median } from './compare/measure.mjs';
import { goals } from './compare/goals.mjs';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const { values } = parseArgs({
  options: {
    site: { type: 'string', default: at('data/compare') },
    work: { type: 'string', default: at('data/work') },
    runs: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
  },
});
const [site, work, runs] = [resolve(values.site), resolve(values.work), Number(values.runs)];
const bkp = `${process.execPath} ${at('../bin/bkp.js')}`;

if (!existsSync(site)) {
  const size = ['--megabytes', '700', '--files', '20000', '--database-megabytes', '300'];
  spawnSync(process.execPath, [at('make-site.mjs'), site, ...size], { stdio: 'inherit' });
}
rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });

/** A storage of a thousand small archives, for `list`. */
function makeMany() {
  const many = join(work, 'many');
  mkdirSync(many);
  const first = join(many, '20250101T000000Z-manual.zip');
  spawnSync('/bin/sh', ['-c', `${bkp} create -q -C ${at('../fixtures/site')} -o ${first}`]);
  for (let n = 1; n < 1000; n++) {
    const time = new Date(Date.UTC(2025, 0, 1) + n * 3600_000).toISOString().replaceAll(/[-:]|\.000/g, '');
    copyFileSync(first, join(many, `${time}-manual.zip`));
  }
}
makeMany();

const all = jobs({ site, work, bkp });
const wanted = goals.filter(({ row }) => row.includes(values.only));
const named = new Set(wanted.flatMap(({ us, them }) => [...us, ...them]));
for (const name of [...named]) if (all[name]?.after !== undefined) named.add(all[name].after);
const chosen = Object.entries(all).filter(([name, { needs }]) => named.has(name) && isThere(needs));
const results = new Map();

for (let round = 0; round <= runs; round++) {
  for (const [name, job] of chosen) {
    process.stderr.write(`\r\x1b[Kround ${round} of ${runs}: ${name}`);
    if (round === 0) job.first?.();
    job.prepare?.();
    // What the job before left to be written is not to be waited for by this one.
    spawnSync('sync');
    const told = measure(job.command, job.env);
    if (round === 0) results.set(name, { seconds: [], cpu: [], peakKiB: 0, bytes: undefined });
    const result = results.get(name);
    result.bytes = job.size === undefined ? undefined : bytesOf(job.size);
    result.peakKiB = Math.max(result.peakKiB, told.peakKiB);
    if (round === 0) continue;
    result.seconds.push(told.seconds);
    result.cpu.push(told.cpu);
  }
}
process.stderr.write('\r\x1b[K');
const limit = JSON.parse(
  spawnSync(process.execPath, [at('compare/limit.mjs'), join(site, 'var'), join(work, 'scratch')], {
    encoding: 'utf8',
  }).stdout,
);

const seconds = (names) => {
  const found = names.map((name) => (name === 'limit' ? limit.limit : median(results.get(name)?.seconds ?? [])));
  return found.every((one) => Number.isFinite(one)) ? found.reduce((sum, one) => sum + one, 0) : undefined;
};

console.log(`${cpus()[0]?.model} × ${cpus().length}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`);
console.log(`${site}: ${(bytesOf(join(site, 'var')) / 2 ** 20).toFixed(0)} MiB; medians of ${runs} runs\n`);
console.log('| job | seconds | CPU s | peak MiB | size MiB |\n| --- | ---: | ---: | ---: | ---: |');
for (const [name, { seconds: s, cpu, peakKiB, bytes }] of results) {
  const size = bytes === undefined ? '' : (bytes / 2 ** 20).toFixed(1);
  console.log(
    `| ${name} | ${median(s).toFixed(2)} | ${median(cpu).toFixed(2)} | ${(peakKiB / 1024).toFixed(0)} | ${size} |`,
  );
}
const part = (number) => number.toFixed(2);
console.log(
  `\nlimit: reading ${part(limit.reading)} s, writing ${part(limit.writing)} s, deflate CPU ${part(limit.deflating)} s on ${limit.cores} cores\n`,
);
console.log('| work | against | goal | measured | |\n| --- | --- | ---: | ---: | --- |');
const rows = wanted.map(({ row, us, them, goal, size }) => {
  const [ours, theirs] = size ? [results.get(us[0])?.bytes, results.get(them[0])?.bytes] : [seconds(us), seconds(them)];
  const ratio = ours === undefined || theirs === undefined ? undefined : ours / theirs;
  return { row, against: them.join(' + '), goal, ratio };
});
for (const { row, against, goal, ratio } of rows) {
  const met = ratio === undefined ? 'not measured' : ratio <= goal ? 'met' : 'not met';
  console.log(`| ${row} | ${against} | ≤ ${goal} | ${ratio === undefined ? '–' : ratio.toFixed(2)} | ${met} |`);
}
const peak =
  Math.max(...[...results].filter(([name]) => name.startsWith('bkp')).map(([, { peakKiB }]) => peakKiB)) / 1024;
console.log(`| peak memory of bkp | | ≤ 256 MiB | ${peak.toFixed(0)} MiB | ${peak <= 256 ? 'met' : 'not met'} |`);
if (values.json !== undefined) {
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, memory: totalmem(), node: process.version };
  writeFileSync(
    values.json,
    `${JSON.stringify({ machine, limit, jobs: Object.fromEntries(results), rows }, undefined, 2)}\n`,
  );
}
