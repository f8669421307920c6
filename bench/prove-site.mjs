// Proves the whole way on a real-sized site: create, verify, restore in both containers, then compares files byte by byte
// and databases row by row, and tells times and peak memory. Usage: node bench/prove-site.mjs [SITE] (default: bench/data/site,
// made with bench/make-site.mjs where it is missing). Exits 1 where anything differs or memory exceeds 300 MiB.
import Database from 'better-sqlite3';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const bkp = at('../bin/bkp.js');
const site = process.argv[2] ?? at('data/site');
const memoryLimit = 300 * 1024;
let failed = false;

if (!existsSync(site)) spawnSync(process.execPath, [at('make-site.mjs'), site], { stdio: 'inherit' });

/** Peak resident memory of a process in KiB, as the kernel counts it, while it is there to be asked. */
function peakOf(pid) {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Runs bkp; gives its last JSON line, its wall time in seconds and its peak memory in KiB. */
function run(...args) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(process.execPath, [bkp, ...args, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    let peak = 0;
    const timer = setInterval(() => (peak = Math.max(peak, peakOf(child.pid))), 20);
    child.stdout.on('data', (text) => (output += text));
    child.on('close', (code) => {
      clearInterval(timer);
      const last = JSON.parse(output.trim().split('\n').at(-1));
      if (code !== 0) reject(new Error(`bkp ${args.join(' ')} ended with ${code}: ${JSON.stringify(last)}`));
      else resolve({ last, seconds: (performance.now() - started) / 1000, peak });
    });
  });
}

/** One hash over all rows of all tables, in order. */
function rowsOf(path) {
  const database = new Database(path, { readonly: true });
  const hash = createHash('sha256');
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").pluck().all();
  for (const table of tables) {
    hash.update(table);
    for (const row of database.prepare(`SELECT * FROM "${table}" ORDER BY 1`).raw().iterate())
      hash.update(JSON.stringify(row));
  }
  database.close();
  return hash.digest('hex');
}

function check(what, good) {
  if (!good) failed = true;
  console.log(`${good ? 'ok  ' : 'FAIL'} ${what}`);
}

const folder = mkdtempSync(join(tmpdir(), 'bkp-prove-'));
try {
  for (const format of ['zip', 'tar.gz']) {
    const archive = join(folder, `site.${format}`);
    const target = join(folder, `restored-${format}`);
    const steps = {
      create: await run('create', '-C', site, '-o', archive),
      verify: await run('verify', archive),
      restore: await run('restore', archive, '--target', target),
    };
    for (const [name, { seconds, peak }] of Object.entries(steps)) {
      console.log(`${format} ${name}: ${seconds.toFixed(1)} s, peak ${(peak / 1024).toFixed(0)} MiB`);
      check(`${format} ${name} stays below 300 MiB`, peak < memoryLimit);
    }
    for (const source of ['uploads', 'snapshots']) {
      const { status } = spawnSync('diff', ['-r', join(site, 'var', source), join(target, 'var', source)], {
        stdio: 'inherit',
      });
      check(`${format} ${source}: every file is the same`, status === 0);
    }
    for (const database of ['system.brain', 'user.brain']) {
      const same = rowsOf(join(site, 'var', database)) === rowsOf(join(target, 'var', database));
      check(`${format} ${database}: every row is the same`, same);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
