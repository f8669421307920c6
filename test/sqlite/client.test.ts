import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { entryPoint } from '../../src/base/entry-point.js';
import { BkpError } from '../../src/base/errors.js';
import {
  childForTest,
  containing,
  expectKind,
  isAlive,
  makeDatabase,
  place,
  snapshotOf,
  type Place,
} from './databases.js';

/** Takes long enough to be interrupted: some 300 MiB of sparse table. */
function largeDatabase(at: Place): void {
  const rows = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300)';
  makeDatabase(
    at.live('x.db'),
    `PRAGMA synchronous = OFF; CREATE TABLE t AS ${rows} SELECT zeroblob(1048576) AS pad FROM n`,
  );
}

describe('the process that reads the databases', () => {
  it('fails clearly where it is killed in the middle, with all that was asked of it', async () => {
    const at = await place();
    largeDatabase(at);
    const child = childForTest();
    const attempt = child.snapshot(
      { ...snapshotOf(at, 'x.db'), maxPause: 'none' },
      {
        onProgress: () => process.kill(child.pid!, 'SIGKILL'),
      },
    );
    const waiting = child.check(at.live('x.db'));
    const message = containing('killed by SIGKILL');
    await expect(attempt).rejects.toMatchObject({ id: 'sqlite-child-failed', exitCode: 1, message });
    await expect(waiting).rejects.toMatchObject({ id: 'sqlite-child-failed' });
    await expect(child.check(at.live('x.db'))).rejects.toBeInstanceOf(BkpError);
  });

  it('is gone at once on abort, and the reason is what is thrown', async () => {
    const at = await place();
    largeDatabase(at);
    const controller = new AbortController();
    const reason = new BkpError('interrupted', 'stopped by SIGINT');
    const child = childForTest(controller.signal);
    let abortedAt = 0;
    const attempt = child.snapshot(
      { ...snapshotOf(at, 'x.db'), maxPause: 'none' },
      {
        onProgress: () => {
          if (abortedAt === 0) abortedAt = performance.now();
          controller.abort(reason);
        },
      },
    );
    await expect(attempt).rejects.toBe(reason);
    expect(performance.now() - abortedAt).toBeLessThan(1000);
    await child.close();
    expect(isAlive(child.pid!)).toBe(false);
    expect(statSync(at.copy('x.db')).size).toBeLessThan(statSync(at.live('x.db')).size);
    await expect(child.check(at.live('x.db'))).rejects.toBe(reason);
    expect(() => childForTest(controller.signal)).toThrow(reason);
  });

  it('leaves signals of the terminal to its parent', async () => {
    const at = await place();
    makeDatabase(at.live('x.db'), 'CREATE TABLE t (a)');
    const child = childForTest();
    await child.check(at.live('x.db'));
    for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.kill(child.pid!, signal);
    const { databases } = await child.snapshot(snapshotOf(at, 'x.db'));
    expectKind('copied', databases[0]);
  });

  it('ends by itself when its parent is killed, even where it was waiting for a lock', async () => {
    const at = await place();
    makeDatabase(at.live('x.db'), 'CREATE TABLE t (a)');
    const request = { ...snapshotOf(at, 'x.db'), lockDeadline: 60_000 };
    const client = JSON.stringify(pathToFileURL(entryPoint('sqlite/client.js')).href);
    const parent = at.live('parent.mjs');
    writeFileSync(
      parent,
      `import { openSqliteChild } from ${client};
       const child = openSqliteChild();
       await child.check(${JSON.stringify(at.live('x.db'))});
       console.log(child.pid);
       await child.snapshot(${JSON.stringify(request)});`,
    );
    const holder = makeHolder(at);
    await once(holder.stdout, 'data');
    const running = spawn(process.execPath, [parent], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [pid] = (await once(running.stdout, 'data')) as [Buffer];
    const orphan = Number(pid.toString());
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(isAlive(orphan)).toBe(true);
    running.kill('SIGKILL');
    await expect.poll(() => isGone(orphan), { timeout: 5000 }).toBe(true);
    holder.kill('SIGKILL');
  });

  it('closes more than once, and rejects what comes after', async () => {
    const child = childForTest();
    await child.close();
    await child.close();
    expect(isAlive(child.pid!)).toBe(false);
    await expect(child.check('/nowhere')).rejects.toMatchObject({ id: 'sqlite-child-failed' });
  });

  it('names the full destination', async ({ skip }) => {
    const at = await place();
    makeDatabase(at.live('x.db'), 'CREATE TABLE t AS SELECT zeroblob(3000000) AS pad');
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', at.copy('.')], { stdio: 'pipe' });
    } catch {
      skip('mounting a small tmpfs is not permitted here');
    }
    try {
      const attempt = childForTest().snapshot(snapshotOf(at, 'x.db'));
      await expect(attempt).rejects.toMatchObject({ id: 'no-space', exitCode: 13, path: at.copy('x.db') });
      writeFileSync(at.live('noise.db'), Buffer.alloc(3_000_000, 7));
      const raw = childForTest().snapshot(snapshotOf(at, 'noise.db'));
      await expect(raw).rejects.toMatchObject({ id: 'no-space' });
    } finally {
      execFileSync('umount', ['-l', at.copy('.')]);
    }
  });
});

function makeHolder(at: Place): ReturnType<typeof spawn> & { readonly stdout: NodeJS.ReadableStream } {
  const script = new URL('../helpers/sqlite-writer-holding.mjs', import.meta.url).pathname;
  return spawn(process.execPath, [script, at.live('x.db'), 'BEGIN EXCLUSIVE'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** An orphan may stay a zombie where nothing reaps it. */
function isGone(pid: number): boolean {
  if (!isAlive(pid)) return true;
  return existsSync(`/proc/${pid}/stat`) && readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
}
