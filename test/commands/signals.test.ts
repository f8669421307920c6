import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { ChildProcess } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { rawHeader } from '../archive/tar/raw-tar.js';
import { bkp, folder, lastLine, namesIn, site, storageOf } from './cli.js';

/** An instance that takes a second or more. */
function largeSite(): string {
  const root = site();
  const large = join(root, 'var', 'uploads', 'large');
  mkdirSync(large);
  const noise = randomBytes(4 << 20);
  for (let n = 0; n < 24; n++) writeFileSync(join(large, `${n}.bin`), noise);
  return root;
}

/** Sends a signal when the run is in the middle of its work. */
function whenArchiving(child: ChildProcess, act: () => void): void {
  let text = '';
  const look = (chunk: string): void => {
    text += chunk;
    if (!text.includes('"phase":"archive"')) return;
    child.stdout?.off('data', look);
    act();
  };
  child.stdout?.on('data', look);
}

describe('a signal during create', () => {
  it.each([
    { signal: 'SIGINT', code: 130, id: 'interrupted' },
    { signal: 'SIGTERM', code: 143, id: 'terminated' },
    { signal: 'SIGHUP', code: 129, id: 'hung-up' },
  ] as const)('$signal ends it with $code after cleaning up', async ({ signal, code, id }) => {
    const root = largeSite();
    const before = namesIn(root);
    const ran = await bkp(['create', '--json'], {
      cwd: root,
      started: (child) => whenArchiving(child, () => child.kill(signal)),
    });
    expect(ran).toMatchObject({ code, signal: null, stderr: '' });
    expect(lastLine(ran)).toMatchObject({ type: 'error', id, exitCode: code });
    expect(namesIn(storageOf(root))).toEqual(['.bkp.lock']);
    expect(namesIn(root)).toEqual(before);
  });

  it('that comes twice at once, as from a terminal and a wrapper, is one', async () => {
    const root = largeSite();
    const ran = await bkp(['create', '--json'], {
      cwd: root,
      started: (child) =>
        whenArchiving(child, () => {
          child.kill('SIGHUP');
          child.kill('SIGTERM');
        }),
    });
    // Any thread of the process may take a signal, so either of the two may be heard first; the other changes nothing.
    const endings = new Map([
      [129, 'hung-up'],
      [143, 'terminated'],
    ]);
    expect([...endings.keys()]).toContain(ran.code);
    expect(lastLine(ran)).toMatchObject({ type: 'error', id: endings.get(ran.code ?? 0), exitCode: ran.code });
    expect(namesIn(storageOf(root))).toEqual(['.bkp.lock']);
  });

  it('leaves a storage that the next run can use, although a kill could not be cleaned up after', async () => {
    const root = largeSite();
    const killed = await bkp(['create', '--json'], {
      cwd: root,
      started: (child) => whenArchiving(child, () => child.kill('SIGKILL')),
    });
    expect(killed.signal).toBe('SIGKILL');
    const ran = await bkp(['create', '--no-uploads', '--json'], { cwd: root });
    expect(ran.code).toBe(0);
    const { file } = lastLine(ran);
    const name = String(file).split('/').at(-1);
    expect(namesIn(storageOf(root))).toEqual(['.bkp.lock', name, `${name}.sha256`]);
  });
});

describe('a signal while the end of a huge archive of another tool is looked for', () => {
  /** An ordinary tar.gz whose one entry unpacks to 7 GiB of zeros: members of zeros, one like the other. */
  function hugeArchive(path: string): void {
    const header = rawHeader({ name: 'zeros', size: 7 * 2 ** 30 });
    const zeros = gzipSync(Buffer.alloc(64 << 20));
    writeFileSync(path, Buffer.concat([gzipSync(header), ...Array.from({ length: 112 }, () => zeros)]));
  }

  it('ends verify and restore with its code; list does not look that far', async () => {
    const root = site();
    mkdirSync(storageOf(root), { recursive: true });
    const huge = join(storageOf(root), 'huge.tar.gz');
    hugeArchive(huge);
    for (const args of [
      ['verify', huge],
      ['restore', huge, '--target', join(root, 'target')],
    ]) {
      const ran = await bkp([...args, '--json'], {
        cwd: root,
        started: (child) => child.stdout?.once('data', () => setTimeout(() => child.kill('SIGTERM'), 300)),
      });
      expect(ran.code).toBe(143);
      expect(lastLine(ran)).toMatchObject({ type: 'error', id: 'terminated' });
    }
    const listed = await bkp(['list', '--json'], { cwd: root });
    expect(listed.code).toBe(0);
    expect(listed.stdout).toContain('"status":"unknown"');
    expect(listed.stdout).toContain('bkp verify');
  });
});

describe('a signal during verify and restore', () => {
  it('ends them with its code, and leaves no trace', async () => {
    const root = largeSite();
    expect(await bkp(['create', '-q', '-l', '0'], { cwd: root })).toMatchObject({ code: 0 });
    const parent = folder();
    const temporary = folder();
    for (const args of [['verify'], ['restore', 'latest', '--target', join(parent, 'target')]]) {
      const ran = await bkp([...args, '--json'], {
        cwd: root,
        env: { TMPDIR: temporary },
        started: (child) => child.stdout?.once('data', () => child.kill('SIGINT')),
      });
      expect(ran).toMatchObject({ code: 130, stderr: '' });
      expect(lastLine(ran)).toMatchObject({ id: 'interrupted' });
    }
    expect(namesIn(parent)).toEqual([]);
    expect(namesIn(temporary)).toEqual([]);
  });
});
