import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { noHooks } from '../../src/operations/run-hooks.js';
import { LocalStorage } from '../../src/storage/local-storage.js';
import { recoverIn, restoreOver } from '../helpers/in-place.js';
import { rewrite, rowOf } from '../helpers/in-place-database.js';
import {
  create,
  database,
  describeTree,
  directory,
  failure,
  files,
  instance,
  stored,
  verify,
} from '../helpers/instance.js';
import { expectTree, writeTree } from '../helpers/tree.js';

/** An application that has a database open, after these statements. */
async function holding(path: string, ...statements: string[]): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('../helpers/sqlite-writer-holding.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, path, ...statements], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

/** Inodes, sizes and times of all that lies there; without opening anything. */
function looks(folder: string): unknown {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((path) => {
      const { ino, size, mtimeNs } = lstatSync(join(folder, path), { bigint: true });
      return [path, ino, size, path.endsWith('-shm') ? 0n : mtimeNs];
    });
}

describe('while an application has the database open', () => {
  const states = [
    ['idle in WAL mode', 'wal', ['SELECT * FROM state']],
    ['writing in WAL mode', 'wal', ['BEGIN IMMEDIATE', "INSERT INTO state VALUES ('open')"]],
    ['idle with a rollback journal', 'delete', ['SELECT * FROM state']],
    ['writing with a rollback journal', 'delete', ['BEGIN EXCLUSIVE', "INSERT INTO state VALUES ('open')"]],
  ] as const;

  it.each(states)(
    'restores where a hook stops it, and saves what it had committed: %s',
    async (_, mode, statements) => {
      const made = await instance({ data: { a: 'first' } }, [database('app.db', { path: 'data/app.db' })]);
      const path = join(made.root, 'data/app.db');
      rewrite(path, 'first', mode);
      const { file } = await create(made);
      const application = await holding(path, "UPDATE state SET text = 'until the stop'", ...statements);
      // As a service that is killed after its time to stop: with a `-wal`, or with a journal to be rolled back.
      const before = async (): Promise<void> => {
        application.kill('SIGKILL');
        await once(application, 'exit');
      };
      const { safety, kept } = await restoreOver(made, file, { hooks: { ...noHooks, before } });
      expect([rowOf(path), kept, safety?.complete]).toEqual(['first', [], true]);
      expect(readdirSync(join(made.root, 'data')).sort()).toEqual(['a', 'app.db']);
      await restoreOver(made, safety!.file);
      expect(rowOf(path)).toBe('until the stop');
    },
  );

  it.each(states)('refuses and touches nothing: %s', async (_, mode, statements) => {
    const made = await instance({ data: { a: 'first' } }, [database('app.db', { path: 'data/app.db' })]);
    const path = join(made.root, 'data/app.db');
    rewrite(path, 'first', mode);
    const { file } = await create(made);
    rewrite(path, 'second', mode);
    await holding(path, ...statements);
    const before = looks(join(made.root, 'data'));
    const error = await failure(restoreOver(made, file));
    expect([error.id, error.exitCode]).toEqual(['database-in-use', 15]);
    expect(looks(join(made.root, 'data'))).toEqual(before);
    expect(existsSync(join(made.root, '.bkp-restore'))).toBe(false);
    expect(stored(made).filter((name) => name.includes('safety'))).toEqual([]);
  });
});

it.each([
  ['deleted', (path: string) => rmSync(path)],
  ['truncated to nothing', (path: string) => writeFileSync(path, '')],
  ['overwritten with noise', (path: string) => writeFileSync(path, Buffer.alloc(8192, 0xa7))],
])('restores over a database that was %s', async (_, damage) => {
  const made = await instance({ pages: { a: 'first' } }, [database('app.db'), directory('pages')]);
  const path = join(made.root, 'app.db');
  rewrite(path, 'first');
  const { file } = await create(made);
  damage(path);
  await restoreOver(made, file);
  expect(rowOf(path)).toBe('first');
});

it('carries across what is excluded and a storage inside a source', async () => {
  const made = await instance({ pages: { a: 'first', cache: { c: 'first' } } }, [
    directory('pages', { exclude: ['cache/**'] }),
  ]);
  const inside = { ...made, storage: new LocalStorage(join(made.root, 'pages/backups')) };
  const { file } = await create(inside);
  await writeTree(join(made.root, 'pages'), { a: 'second', b: 'second', cache: { c: 'second', d: 'new' } });
  const { kept, unexpected } = await restoreOver(inside, file);
  expect([kept, unexpected]).toEqual([[], []]);
  expect(readFileSync(join(made.root, 'pages/a'), 'utf8')).toBe('first');
  expect(existsSync(join(made.root, 'pages/b'))).toBe(false);
  await expectTree(join(made.root, 'pages/cache'), { c: 'second', d: 'new' });
  expect(existsSync(file)).toBe(true);
});

describe('a source in the folder of another', () => {
  const nested = async () => {
    const made = await instance({ pb_data: { a: 'first' } }, [
      directory('pb_data'),
      database('data.db', { path: 'pb_data/data.db' }),
    ]);
    const path = join(made.root, 'pb_data/data.db');
    rewrite(path, 'first');
    const { file } = await create(made);
    rewrite(path, 'second');
    writeFileSync(join(made.root, 'pb_data/a'), 'second');
    const state = () => [readFileSync(join(made.root, 'pb_data/a'), 'utf8'), rowOf(path)];
    return { made, file, state };
  };
  it.each([
    [undefined, ['first', 'first']],
    [['pb_data'], ['first', 'second']],
    [['data.db'], ['second', 'first']],
  ])('comes back with --only %s', async (only, wanted) => {
    const { made, file, state } = await nested();
    const { kept } = await restoreOver(made, file, { only });
    expect(kept).toEqual([]);
    expect(state()).toEqual(wanted);
  });
});

it('restores where the root of a source is a symbolic link', async () => {
  const made = await instance({ elsewhere: { a: 'first' } }, [directory('pages')]);
  symlinkSync('elsewhere', join(made.root, 'pages'));
  const { file } = await create(made);
  writeFileSync(join(made.root, 'elsewhere/a'), 'second');
  await restoreOver(made, file);
  expect(lstatSync(join(made.root, 'pages')).isSymbolicLink()).toBe(true);
  await expectTree(join(made.root, 'elsewhere'), { a: 'first' });
});

it('restores a source that is the root itself child by child', async () => {
  const made = await instance({ a: 'first', sub: { b: 'first' } }, [directory('all', { path: '.' })]);
  const inside = { ...made, storage: new LocalStorage(join(made.root, 'backups')) };
  const { file } = await create(inside);
  const { ino } = lstatSync(made.root);
  await writeTree(made.root, { a: 'second', new: 'second' });
  const { kept } = await restoreOver(inside, file);
  expect(kept).toEqual([]);
  expect(lstatSync(made.root).ino).toBe(ino);
  expect(readdirSync(made.root).sort()).toEqual(['a', 'backups', 'sub']);
  expect(readFileSync(join(made.root, 'a'), 'utf8')).toBe('first');
});

it('replaces single files, and no others of their folder', async () => {
  const made = await instance({ '.env': 'first', conf: { 'a.json': 'first' }, other: 'first' }, [
    files('config', ['.env', 'conf/*.json']),
  ]);
  const { file } = await create(made);
  await writeTree(made.root, { '.env': 'second', other: 'second', '.env.new': 'second' });
  rmSync(join(made.root, 'conf'), { recursive: true });
  await restoreOver(made, file);
  await expectTree(made.root, { '.env': 'first', conf: { 'a.json': 'first' }, other: 'second', '.env.new': 'second' });
});

it('puts a database that was kept raw back as its bytes', async () => {
  const made = await instance({ 'app.db': Buffer.alloc(5000, 7), pages: { a: 'first' } }, [
    database('app.db'),
    directory('pages'),
  ]);
  const { file } = await create(made);
  rewrite(join(made.root, 'app2.db'), 'second');
  renameSync(join(made.root, 'app2.db'), join(made.root, 'app.db'));
  await restoreOver(made, file);
  expect(readFileSync(join(made.root, 'app.db'))).toEqual(Buffer.alloc(5000, 7));
});

it('holds what a database inside a folder had in its -wal, and keeps nothing else aside', async () => {
  const made = await instance({ pages: { a: 'first' } }, [directory('pages')]);
  const path = join(made.root, 'pages/inner.db');
  rewrite(path, 'first');
  const { file } = await create(made);
  const script = fileURLToPath(new URL('../helpers/sqlite-writer-holding.mjs', import.meta.url));
  const args = [script, path, "UPDATE state SET text = 'in the wal'"];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(existsSync(`${path}-wal`)).toBe(true);
  const { kept, safety } = await restoreOver(made, file);
  expect(kept).toEqual([]);
  expect(rowOf(path)).toBe('first');
  await restoreOver(made, safety!.file);
  expect(rowOf(path)).toBe('in the wal');
});

it('keeps what the safety backup could not hold aside, and names it', async () => {
  const made = await instance({ pages: { a: 'first' } }, [directory('pages')]);
  const { file } = await create(made);
  const socket = join(made.root, 'pages/socket');
  const server = createServer().listen(socket);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { kept } = await restoreOver(made, file);
  expect(kept.map(({ path }) => path).filter((path) => path.endsWith('pages/socket'))).toHaveLength(1);
  for (const { path } of kept) expect(lstatSync(path)).toBeDefined();
  await expectTree(join(made.root, 'pages'), { a: 'first' });
});

it('keeps a file that a late writer changed after the safety backup', async () => {
  const made = await instance({ pages: { a: 'first', b: 'first' } }, [directory('pages')]);
  const { file } = await create(made);
  const step = (id: string): void => {
    if (id === 'named') writeFileSync(join(made.root, 'pages/a'), 'late!');
  };
  const { kept } = await restoreOver(made, file, {}, { step });
  const late = kept.filter(({ path }) => path.endsWith('/a'));
  expect(late.map(({ path }) => readFileSync(path, 'utf8'))).toEqual(['late!']);
  expect(kept).toHaveLength(1);
});

it('refuses a damaged or altered archive before anything is touched', async () => {
  const made = await instance({ pages: { a: 'first'.repeat(500) } }, [directory('pages')]);
  const { file } = await create(made);
  writeFileSync(join(made.root, 'pages/a'), 'second');
  const before = describeTree(made.root);
  const whole = readFileSync(file);
  for (let at = 10; at < whole.length; at += Math.ceil(whole.length / 25)) {
    const altered = Buffer.from(whole);
    altered[at]! ^= 0x10;
    writeFileSync(file, altered);
    const error = await failure(restoreOver(made, file));
    expect([at, error.exitCode]).toEqual([at, 14]);
    expect(describeTree(made.root)).toEqual(before);
  }
});

it('makes a safety backup that verifies and gives the old state back; the first is locked', async () => {
  const made = await instance({ pages: { a: 'first', gone: 'x' } }, [database('app.db'), directory('pages')]);
  rewrite(join(made.root, 'app.db'), 'first');
  const { file } = await create(made);
  rewrite(join(made.root, 'app.db'), 'second');
  rmSync(join(made.root, 'pages'), { recursive: true });
  await writeTree(join(made.root, 'pages'), { a: 'second', b: 'new' });
  const { safety } = await restoreOver(made, file);
  expect((await verify(safety!.file)).verdict).toBe('intact');
  await expectTree(join(made.root, 'pages'), { a: 'first', gone: 'x' });
  const again = await restoreOver(made, safety!.file);
  await expectTree(join(made.root, 'pages'), { a: 'second', b: 'new' });
  expect(rowOf(join(made.root, 'app.db'))).toBe('second');
  const locks = stored(made).filter((name) => name.endsWith('.locked'));
  expect(locks).toEqual([`${safety!.id}.zip.locked`]);
  expect(again.kept).toEqual([]);
  expect((await recoverIn(made)).outcome).toBe('nothing');
});
