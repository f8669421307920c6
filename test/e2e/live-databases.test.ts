import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { bkp, ended, hasTool, siteCopy } from '../helpers/cli.js';
import { residentBkp } from '../helpers/resident.js';
import { rounds } from '../helpers/rounds.js';
import { temporaryFolder } from '../helpers/surroundings.js';

const writeLoad = fileURLToPath(new URL('../../bench/write-load.mjs', import.meta.url));

function counterOf(file: string): unknown {
  const database = new Database(file, { readonly: true });
  try {
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    return database.prepare("SELECT value FROM counters WHERE name = 'commits'").pluck().get();
  } finally {
    database.close();
  }
}

function setMode(site: string, mode: string): void {
  for (const name of ['system.brain', 'user.brain']) {
    const database = new Database(join(site, 'var', name));
    expect(database.pragma(`journal_mode = ${mode}`, { simple: true })).toBe(mode);
    database.close();
  }
}

const count = rounds(4, 10);

describe.each(['wal', 'delete'])('two writers that commit to both databases in one transaction (%s)', (mode) => {
  it('see no error while backups are made, and every backup has equal counters', { timeout: 180_000 }, async () => {
    const site = siteCopy();
    setMode(site, mode);
    const writers = [0, 1].map(() => spawn(process.execPath, [writeLoad, site, '--seconds', '150', '--pause-ms', '3']));
    const reports = writers.map(ended);
    const counters: unknown[] = [];
    try {
      for (let n = 0; n < count; n += 1) {
        const archive = join(site, '..', `${n}.${n % 2 === 0 ? 'zip' : 'tar.gz'}`);
        const made = await bkp(['create', '-C', site, '-o', archive, '--databases', '--no-uploads', '--no-snapshots']);
        expect(made.stderr).toBe('');
        expect(made.code).toBe(0);
        const target = join(site, '..', `restored-${n}`);
        const restored = await residentBkp({ args: ['restore', archive, '--target', target], env: process.env });
        expect(restored.code).toBe(0);
        const [system, user] = ['system.brain', 'user.brain'].map((name) => counterOf(join(target, 'var', name)));
        expect(system).toBe(user);
        counters.push(system);
        while (counterOf(join(site, 'var/system.brain')) === system) await sleep(5);
      }
      // They were all made while the writers wrote: each one shows a later state.
      expect(writers.every(({ exitCode }) => exitCode === null)).toBe(true);
      expect(new Set(counters).size).toBe(count);
    } finally {
      for (const writer of writers) writer.kill('SIGTERM');
    }
    for (const { stdout, stderr } of await Promise.all(reports)) {
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toMatchObject({ errors: 0 });
    }
  });
});

/** Which processes opened a path, from traces of `strace -ff`, which writes one file for each thread. */
function processesThatOpen(folder: string, path: RegExp): readonly string[] {
  const traces = new Map(
    readdirSync(folder).map((name) => [Number(name.split('.').at(-1)), readFileSync(join(folder, name), 'utf8')]),
  );
  const startedBy = new Map<number, number>();
  for (const [thread, text] of traces) {
    for (const [, started] of text.matchAll(/^clone3?\([^\n]*CLONE_THREAD[^\n]*\) += (\d+)$/gm)) {
      startedBy.set(Number(started), thread);
    }
  }
  const processOf = (thread: number): number => {
    const parent = startedBy.get(thread);
    return parent === undefined ? thread : processOf(parent);
  };
  const nameOf = (process: number): string =>
    /^execve\([^\n]*sqlite\/child\.js/m.test(traces.get(process) ?? '') ? 'the SQLite child' : `process ${process}`;
  const opens = new RegExp(`^open(?:at2?)?\\([^\\n]*${path.source}`, 'm');
  const threads = [...traces].filter(([, text]) => opens.test(text)).map(([thread]) => thread);
  return [...new Set(threads.map((thread) => nameOf(processOf(thread))))];
}

describe('the main process', () => {
  it.skipIf(!hasTool('strace'))('never opens a live database or its sidecars', async () => {
    const site = siteCopy();
    setMode(site, 'wal');
    const open = new Database(join(site, 'var/system.brain'));
    open.prepare("UPDATE counters SET value = 1 WHERE name = 'commits'").run();
    const trace = join(temporaryFolder(), 'trace');
    const calls = 'trace=open,openat,openat2,execve,clone,clone3';
    const under = ['strace', '-ff', '-qq', '-s', '4096', '-e', calls, '-o', trace];
    const made = await bkp(['create', '-C', site], { under });
    open.close();
    expect(made.code).toBe(0);
    const openers = processesThatOpen(join(trace, '..'), /var\/(?:system|user)\.brain/);
    expect(openers).toEqual(['the SQLite child']);
  });
});
