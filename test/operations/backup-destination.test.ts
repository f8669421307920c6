import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { create, database, directory, failure, instance, stored, verify, type Instance } from '../helpers/instance.js';
import { temporaryFolder, tinyFileSystem, unprivilegedAsync } from '../helpers/surroundings.js';
import { bytes } from '../helpers/tree.js';
import { makeDatabase } from '../sqlite/databases.js';
import { has, run } from './foreign-archives.js';
import { entryPoint } from '../../src/base/entry-point.js';
import { acquireLock } from '../../src/fs/lock.js';
import { systemClock } from '../../src/base/clock.js';
import { LocalStorage } from '../../src/storage/local-storage.js';

const site = (): Promise<Instance> => instance({ data: { f: 'x', g: bytes(3000) } }, [directory('data')]);

describe('a backup in the storage', () => {
  it('has its side file beside it, both for their owner alone', async () => {
    const from = await site();
    const made = await create(from);
    expect(stored(from)).toEqual([`${made.id}.zip`, `${made.id}.zip.sha256`]);
    expect(readFileSync(`${made.file}.sha256`, 'utf8')).toBe(`${made.sha256}  ${made.id}.zip\n`);
    for (const file of [made.file, `${made.file}.sha256`]) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(made.file).size).toBe(made.bytes);
    if (has('sha256sum')) run(from.storage.folder, 'sha256sum', '-c', `${made.id}.zip.sha256`);
  });

  it('takes the next second where another one has its id, in either container', async () => {
    const from = await site();
    const clock = { ...systemClock, now: () => Date.UTC(2025, 9, 30, 12, 0, 0, 500) };
    const made = [];
    for (const container of ['zip', 'tar.gz', 'zip'] as const) made.push(await create(from, { container }, { clock }));
    expect(made.map(({ id }) => id)).toEqual([
      '20251030T120000Z-manual',
      '20251030T120001Z-manual',
      '20251030T120002Z-manual',
    ]);
    for (const { file } of made) expect((await verify(file)).verdict).toBe('intact');
  });

  it('is refused while another process holds the lock, and nothing is touched', async () => {
    const from = await site();
    const older = await create(from);
    const before = stored(from);
    const lock = await acquireLock(join(from.storage.folder, '.bkp.lock'), {
      holder: 'prune',
      wait: 0,
      clock: systemClock,
    });
    const error = await failure(create(from));
    expect([error.id, error.exitCode]).toEqual(['lock-held', 11]);
    expect(error.message).toContain('prune');
    expect(stored(from)).toEqual(before);
    lock.release();
    await create(from);
    expect((await verify(older.file)).verdict).toBe('intact');
  });

  it('says so where the storage cannot be written to', async () => {
    const from = await site();
    mkdirSync(from.storage.folder, { mode: 0o555 });
    const error = await failure(unprivilegedAsync(() => create(from)));
    expect(error.id).toBe('storage-unwritable');
    expect(stored(from)).toEqual([]);
  });
});

/** Runs a whole backup in a process of its own, which is killed at a step of it. */
async function killAt(step: string, from: Instance): Promise<void> {
  const request = { root: from.root, folder: from.storage.folder, sources: from.sources, step };
  const built = (path: string): string => JSON.stringify(entryPoint(path));
  const script = `
    const { createBackup } = await import(${built('operations/create-backup.js')});
    const { LocalStorage } = await import(${built('storage/local-storage.js')});
    const { systemClock } = await import(${built('base/clock.js')});
    const { silentProgress } = await import(${built('base/progress.js')});
    const { root, folder, sources, step: last } = JSON.parse(process.argv[1]);
    const step = (id) => { if (id === last) process.kill(process.pid, 'SIGKILL'); };
    const deps = { clock: systemClock, progress: { ...silentProgress, start: step }, signal: new AbortController().signal, temporaryFolder: '/nowhere', host: 'h', version: '0', step };
    await createBackup({ instance: 'app', root, sources, leftOut: [], excludes: [], destination: { kind: 'storage', storage: new LocalStorage(folder), container: 'zip' },
      level: 6, maxPause: 4000, origin: 'manual', comment: undefined, lockWait: 0, quickCheck: false }, deps);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, JSON.stringify(request)], {
    stdio: 'inherit',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
}

describe('what a killed run left', () => {
  it.each(['databases', 'archive', 'source-archived', 'read-back'])(
    'is removed by the next one (killed at %s)',
    async (step) => {
      const from = await instance({ data: { f: bytes(2_000_000) }, 'a.db': '' }, [directory('data'), database('a.db')]);
      const older = await create(from);
      await killAt(step, from);
      const left = stored(from).filter((name) => !name.startsWith(older.id));
      const remembered = left.splice(0, 2);
      for (const name of remembered) expect(name).toMatch(/^\.\.entries-[0-9a-f]{16}\.partial$/);
      expect(left.map((name) => name.replace(/\d{8}T\d{6}Z/, 'ID'))).toEqual([
        '.ID-manual.staging',
        '.ID-manual.staging.lock',
        '.ID-manual.zip.partial',
      ]);
      expect((await verify(older.file)).verdict).toBe('intact');
      const steps: string[] = [];
      const made = await create(from, {}, { step: (id) => void steps.push(id) });
      expect(steps.filter((id) => id === 'leftover-removed').length).toBeGreaterThan(0);
      expect(stored(from)).toEqual([older.id, made.id].sort().flatMap((id) => [`${id}.zip`, `${id}.zip.sha256`]));
    },
  );

  it("is told from the user's own files by its name", async () => {
    const from = await site();
    const folder = from.storage.folder;
    const folders = ['.mine.staging', '.20251030T120000Z-daily.staging'];
    for (const name of folders) mkdirSync(join(folder, name), { recursive: true });
    const others = ['.mine.staging/f', '.20251030T120000Z-daily.staging/f', '.rsync-thing.partial', '.x.zip.partial'];
    for (const name of [...others, '.20251030T120000Z-daily.zip.partial']) writeFileSync(join(folder, name), 'x');
    const made = await create(from);
    for (const name of others) expect(readFileSync(join(folder, name), 'utf8')).toBe('x');
    const left = [...folders, '.rsync-thing.partial', '.x.zip.partial'];
    expect(stored(from)).toEqual([...left, `${made.id}.zip`, `${made.id}.zip.sha256`].sort());
  });

  it('as a side file without its archive is removed too, but no other file of the user', async () => {
    const from = await site();
    mkdirSync(from.storage.folder);
    const orphan = '20250101T000000Z-manual.zip.sha256';
    const others = ['notes.txt', 'movie.iso.sha256', 'copy.zip.sha256', '20250101T000000Z-manual.zip.locked'];
    for (const name of [orphan, ...others]) writeFileSync(join(from.storage.folder, name), '');
    const made = await create(from);
    expect(stored(from)).toEqual([...others, `${made.id}.zip`, `${made.id}.zip.sha256`].sort());
  });
});

describe('a full disk', () => {
  it.for(['zip', 'tar.gz'] as const)(
    'makes no archive, leaves nothing behind and the older ones alone (%s)',
    async (container, { skip }) => {
      const disk = tinyFileSystem(1_500_000);
      if (disk === undefined) return skip('only root may mount a small file system');
      const from = {
        ...(await instance({ small: { f: 'x' }, large: { noise: bytes(3_000_000) } }, [
          directory('small'),
          directory('large'),
        ])),
        storage: new LocalStorage(join(disk, 'storage')),
      };
      const older = await create(from, { container, sources: from.sources.slice(0, 1) });
      const before = stored(from);
      const error = await failure(create(from, { container }));
      expect([error.id, error.exitCode]).toEqual(['no-space', 13]);
      expect(error.message).toMatch(
        /^no space left while writing \S+\.partial: .* free there\na backup takes up to 2\.9 MiB, .*; 1\.\d MiB were free in \S+\/storage when it began$/,
      );
      expect(error.hint).toContain('--only');
      expect(stored(from)).toEqual(before);
      expect((await verify(older.file)).verdict).toBe('intact');
      await create(from, { container, sources: from.sources.slice(0, 1) });
    },
  );

  it('is met while databases are copied as well', async ({ skip }) => {
    const disk = tinyFileSystem(1_500_000);
    if (disk === undefined) return skip('only root may mount a small file system');
    const from = { ...(await instance({}, [database('large.db')])), storage: new LocalStorage(join(disk, 'storage')) };
    makeDatabase(join(from.root, 'large.db'), 'CREATE TABLE t (b BLOB)', 'INSERT INTO t VALUES (randomblob(3000000))');
    const error = await failure(create(from));
    expect(error.id).toBe('no-space');
    expect(error.message).toMatch(
      / free there\na backup takes up to 2\.9 MiB, .*, and 2\.9 MiB for a while for copies/,
    );
    expect(stored(from)).toEqual([]);
    expect(readdirSync(from.root)).toEqual(['large.db']);
  });
});

describe('a backup in a file the user names', () => {
  it('gets that name and a side file, and nothing in the storage', async () => {
    const from = await site();
    const output = join(temporaryFolder(), 'mine.tar.gz');
    const made = await create(from, { output, container: 'tar.gz' });
    expect(made.file).toBe(output);
    expect(readdirSync(join(output, '..')).sort()).toEqual(['mine.tar.gz', 'mine.tar.gz.sha256']);
    expect(existsSync(from.storage.folder)).toBe(false);
    expect((await verify(output)).verdict).toBe('intact');
  });

  it.each(['mine.zip', 'mine.zip.sha256'])('never replaces %s', async (name) => {
    const from = await site();
    const folder = temporaryFolder();
    writeFileSync(join(folder, name), 'precious');
    const error = await failure(create(from, { output: join(folder, 'mine.zip') }));
    expect([error.id, error.exitCode]).toEqual(['output-exists', 15]);
    expect(readdirSync(folder)).toEqual([name]);
    expect(readFileSync(join(folder, name), 'utf8')).toBe('precious');
  });

  it.each([
    ['a file', (path: string) => writeFileSync(path, 'precious')],
    ['a link to nothing', (path: string) => symlinkSync('nothing', path)],
    ['a folder', (path: string) => mkdirSync(path)],
  ])('does not replace %s that came up meanwhile either', async (_, put) => {
    const from = await site();
    const folder = temporaryFolder();
    const output = join(folder, 'mine.zip');
    const error = await failure(
      create(from, { output }, { step: (id) => (id === 'read-back' ? put(output) : undefined) }),
    );
    expect(error.id).toBe('output-exists');
    expect(readdirSync(folder)).toEqual(['mine.zip']);
    rmSync(output, { recursive: true });
    await create(from, { output });
  });

  it('may have any name', async () => {
    const from = await site();
    const folder = temporaryFolder();
    for (const name of ['new\nline.zip', 'back\\slash.zip', ' space .zip', 'ü🦊.zip']) {
      const made = await create(from, { output: join(folder, name) });
      expect((await verify(made.file)).findings).toEqual([]);
      if (has('sha256sum')) run(folder, 'sha256sum', '-c', `${name}.sha256`);
    }
  });

  it('needs a folder that is there', async () => {
    const from = await site();
    const error = await failure(create(from, { output: join(from.root, 'none/mine.zip') }));
    expect(error.id).toBe('output-unwritable');
  });

  it('removes what a killed one left of the same name', async () => {
    const from = await site();
    const folder = temporaryFolder();
    writeFileSync(join(folder, '.mine.zip.partial'), 'torn');
    mkdirSync(join(folder, '.mine.zip.staging'));
    writeFileSync(join(folder, '.mine.zip.staging.lock'), '');
    await create(from, { output: join(folder, 'mine.zip') });
    expect(readdirSync(folder).sort()).toEqual(['mine.zip', 'mine.zip.sha256']);
  });

  it.each(['.mine.zip.partial', '.mine.zip.staging'])("leaves the user's %s alone", async (name) => {
    const from = await site();
    const folder = temporaryFolder();
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'f'), 'precious');
    const error = await failure(create(from, { output: join(folder, 'mine.zip') }));
    expect([error.id, error.path]).toEqual(['output-exists', join(folder, name)]);
    expect(readdirSync(folder)).toEqual([name]);
    expect(readdirSync(join(folder, name))).toEqual(['f']);
  });

  it('needs no lock of a storage that cannot be written to', async () => {
    const from = await site();
    mkdirSync(from.storage.folder, { mode: 0o555 });
    const folder = temporaryFolder();
    chmodSync(folder, 0o777);
    const steps: string[] = [];
    const output = join(folder, 'mine.zip');
    const step = (id: string): void => void steps.push(id);
    const made = await unprivilegedAsync(() => create(from, { output }, { step }));
    expect(steps).toContain('lock-left-out');
    expect((await verify(made.file)).verdict).toBe('intact');
  });

  it('waits for the run that makes a backup of the same data', async () => {
    const from = await site();
    await create(from);
    const lock = await acquireLock(join(from.storage.folder, '.bkp.lock'), {
      holder: 'create',
      wait: 0,
      clock: systemClock,
    });
    onTestFinished(() => lock.release());
    const output = join(temporaryFolder(), 'mine.zip');
    expect((await failure(create(from, { output }))).id).toBe('lock-held');
    expect(readdirSync(join(output, '..'))).toEqual([]);
  });
});
