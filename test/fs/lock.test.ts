import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { localTime, systemClock } from '../../src/base/clock.js';
import { entryPoint } from '../../src/base/entry-point.js';
import { acquireLock, type Lock, type LockRequest } from '../../src/fs/lock.js';
import { isRoot, temporaryFolder, unprivilegedAsync } from '../helpers/surroundings.js';

async function lock(file: string, request: Partial<LockRequest> = {}): Promise<Lock> {
  const held = await acquireLock(file, { holder: 'test', wait: 0, clock: systemClock, ...request });
  onTestFinished(() => held.release());
  return held;
}

async function holdElsewhere(file: string, holder = 'create'): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('holding-lock.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, entryPoint('fs/lock.js'), file, holder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

function lockFile(): string {
  return join(temporaryFolder(), '.bkp.lock');
}

describe('a lock that is free', () => {
  it('is had at once, again and again, in a private file that stays', async () => {
    const file = lockFile();
    for (let i = 0; i < 3; i++) (await lock(file)).release();
    expect(statSync(file).mode & 0o7777).toBe(0o600);
    expect(readdirSync(join(file, '..'))).toEqual(['.bkp.lock']);
  });

  it('is had without saying who has it', async () => {
    const file = lockFile();
    const held = await acquireLock(file, { wait: 0, clock: systemClock });
    await expect(lock(file)).rejects.toMatchObject({ id: 'lock-held', message: /another run/ });
    held.release();
    held.release();
    expect(statSync(file).size).toBe(0);
    await lock(file);
  });
});

describe('a lock that is held', () => {
  it('by another process ends with the exit code for it, naming who, where and since when', async () => {
    const file = lockFile();
    const child = await holdElsewhere(file);
    await expect(lock(file)).rejects.toMatchObject({
      id: 'lock-held',
      exitCode: 11,
      path: file,
      message: `${file} is held by create (process ${child.pid} on ${hostname()}, since ${localTime(Date.parse('2025-10-30T12:00:00Z'))})`,
      hint: expect.stringContaining('--lock-wait') as string,
    });
  });

  it('is waited for, and had as soon as it is free', async () => {
    const file = lockFile();
    const child = await holdElsewhere(file);
    const waiting = lock(file, { wait: 30_000 });
    await delay(300);
    child.stdin!.end();
    await waiting;
    await expect(lock(file)).rejects.toMatchObject({
      message: expect.stringContaining(`test (process ${process.pid}`) as string,
    });
  });

  it('is given up waiting for after the time asked for', async () => {
    const file = lockFile();
    await holdElsewhere(file);
    const start = performance.now();
    await expect(lock(file, { wait: 500 })).rejects.toMatchObject({ id: 'lock-held' });
    expect(performance.now() - start).toBeGreaterThanOrEqual(450);
  });

  it('is free at once when its process is killed', async () => {
    const file = lockFile();
    for (let i = 0; i < 5; i++) {
      const child = await holdElsewhere(file, `run ${i}`);
      child.kill('SIGKILL');
      await once(child, 'exit');
      (await lock(file)).release();
    }
  });

  it('hears a signal while waiting, with its reason', async () => {
    const file = lockFile();
    await lock(file);
    const controller = new AbortController();
    const waiting = lock(file, { wait: 30_000, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('interrupted')), 50);
    await expect(waiting).rejects.toThrow('interrupted');
    await expect(lock(file, { signal: controller.signal })).rejects.toThrow('interrupted');
  });

  it('is refused to the same process too, which keeps what it has', async () => {
    const file = lockFile();
    const held = await lock(file);
    await expect(lock(file)).rejects.toMatchObject({ id: 'lock-held' });
    const child = holdElsewhere(file);
    const outcome = await Promise.race([child.then(() => 'had it'), delay(500, 'waits')]);
    expect(outcome).toBe('waits');
    held.release();
    await child;
  });

  it('is had by one at a time, however many want it', async () => {
    const file = lockFile();
    let holders = 0;
    const one = async (): Promise<void> => {
      for (let i = 0; i < 5; i++) {
        const held = await acquireLock(file, { holder: 'many', wait: 60_000, clock: systemClock });
        expect(++holders).toBe(1);
        await delay(2);
        holders--;
        held.release();
      }
    };
    await Promise.all([one(), one(), one(), one()]);
  });
});

describe('a lock file that is no lock file', () => {
  it('is named with the mend, instead of blocking for ever', async () => {
    const file = lockFile();
    for (const content of ['not a database, but long enough to be looked at'.repeat(20), 'SQLite format 3\0 cut']) {
      writeFileSync(file, content);
      await expect(lock(file, { wait: 60_000 })).rejects.toMatchObject({
        id: 'io-failed',
        message: /damaged/,
        path: file,
      });
    }
  });

  it('is not followed where it is a link, nor taken where it is a folder', async () => {
    const folder = temporaryFolder();
    symlinkSync('elsewhere', join(folder, 'link'));
    mkdirSync(join(folder, 'folder'));
    await expect(lock(join(folder, 'link'))).rejects.toThrow(/not a regular file/);
    await expect(lock(join(folder, 'folder'))).rejects.toThrow(/not a regular file/);
    expect(readdirSync(folder)).toEqual(['folder', 'link']);
  });

  it('is no lock any more when somebody removed it: the next one is not shared with its old holder', async () => {
    const file = lockFile();
    const old = await lock(file);
    rmSync(file);
    const fresh = await lock(file);
    await expect(lock(file)).rejects.toMatchObject({ id: 'lock-held' });
    old.release();
    await expect(lock(file)).rejects.toMatchObject({ id: 'lock-held' });
    fresh.release();
    await lock(file);
  });

  it('says where the folder is missing or not ours to write', async () => {
    const folder = temporaryFolder();
    await expect(lock(join(folder, 'none/l'))).rejects.toMatchObject({ id: 'io-failed' });
    if (!isRoot) return;
    chmodSync(folder, 0o755);
    const denied = unprivilegedAsync(() => acquireLock(join(folder, 'l'), { wait: 0, clock: systemClock }));
    await expect(denied).rejects.toMatchObject({ id: 'io-failed' });
  });
});
