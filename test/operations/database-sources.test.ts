import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  create,
  database,
  describeTree,
  directory,
  instance,
  newTarget,
  restore,
  siteCopy,
  verify,
  type Instance,
} from '../helpers/instance.js';
import { rounds } from '../helpers/rounds.js';
import { bytes } from '../helpers/tree.js';
import {
  crashAfter,
  makeDatabase,
  overwritePage,
  readDatabase,
  startApplication,
  stopWriter,
} from '../sqlite/databases.js';
import { briefly, expectLosses } from './losses.js';

const containers = ['zip', 'tar.gz'] as const;
const table = 'CREATE TABLE t (n INTEGER)';
const walMode = 'PRAGMA journal_mode = WAL';
const counterSchema = [
  'CREATE TABLE counter (n INTEGER)',
  'INSERT INTO counter VALUES (0)',
  'CREATE TABLE log (writer TEXT, pad BLOB)',
];

const numbers = (file: string): readonly number[] =>
  readDatabase<{ n: number }>(file, 'SELECT n FROM t').map(({ n }) => n);

/** Left by an application that was killed: what was committed last is in the sidecar alone. */
async function crashedWal(path: string, sources: Instance['sources']): Promise<Instance> {
  const from = await instance({ pb: {} }, sources);
  crashAfter(join(from.root, path), walMode, table, 'INSERT INTO t VALUES (1)', 'INSERT INTO t VALUES (2)');
  expect(existsSync(join(from.root, `${path}-wal`))).toBe(true);
  return from;
}

describe.each(containers)('databases in a %s', (container) => {
  it('hold what only the WAL held, and come without sidecars', async () => {
    const from = await crashedWal('a.db', [database('a.db')]);
    const made = await create(from, { container });
    expect(made).toMatchObject({ complete: true, findings: [] });
    expect(made.manifest.sources).toMatchObject([{ sqlite: { journalMode: 'wal', integrity: 'ok' } }]);
    const target = newTarget();
    await restore(made.file, target);
    expect(Object.keys(describeTree(target))).toEqual(['.', './a.db']);
    expect(numbers(join(target, 'a.db'))).toEqual([1, 2]);
  });

  it('inside a folder are copied as databases while they are live, and as bytes while they are not', async () => {
    const from = await crashedWal('pb/live.db', [directory('pb')]);
    makeDatabase(join(from.root, 'pb/idle.db'), table, 'INSERT INTO t VALUES (3)');
    const idle = readFileSync(join(from.root, 'pb/idle.db'));
    const made = await create(from, { container });
    expect(made).toMatchObject({ complete: true, findings: [] });
    const [source] = made.manifest.sources;
    expect(Object.keys(source?.databases ?? {})).toEqual(['pb/live.db']);
    expect(await verify(made.file)).toMatchObject({ verdict: 'intact', databases: 1, files: 2 });
    const target = newTarget();
    expect(await restore(made.file, target)).toMatchObject({ databases: 1 });
    expect(Object.keys(describeTree(target))).toEqual(['.', './pb', './pb/idle.db', './pb/live.db']);
    expect(numbers(join(target, 'pb/live.db'))).toEqual([1, 2]);
    expect(readFileSync(join(target, 'pb/idle.db'))).toEqual(idle);
  });

  it('that are a source of their own are cut out of the folder they lie in', async () => {
    const from = await crashedWal('pb/data.db', [
      directory('pb_data', { path: 'pb' }),
      database('data.db', { path: 'pb/data.db' }),
    ]);
    writeFileSync(join(from.root, 'pb/other'), 'x');
    const made = await create(from, { container });
    expect(made.manifest.sources.map(({ name, files, path }) => [name, files, path])).toEqual([
      ['pb_data', 1, 'pb'],
      ['data.db', 1, 'pb/data.db'],
    ]);
    const target = newTarget();
    await restore(made.file, target);
    expect(Object.keys(describeTree(target))).toEqual(['.', './pb', './pb/data.db', './pb/other']);
    expect(numbers(join(target, 'pb/data.db'))).toEqual([1, 2]);
  });

  it('that are damaged are kept as raw bytes with their sidecars, and restored as those', async () => {
    const sources = [database('a.db'), database('large.db'), directory('pb'), database('noise.db')];
    const from = await instance({ pb: {} }, sources);
    const values = Array.from({ length: 3000 }, (_, n) => `(${n})`).join(',');
    // The large one is in the archive before its check ends, and is taken out again.
    const large = 'CREATE TABLE pad AS SELECT randomblob(3000000) AS a';
    for (const [path, page, ...more] of [
      ['a.db', 1],
      ['large.db', 3, large],
      ['pb/b.db', 3],
    ] as const) {
      const file = join(from.root, path);
      makeDatabase(file, walMode, table, `INSERT INTO t VALUES ${values}`, ...more);
      crashAfter(file, 'INSERT INTO t VALUES (-1)');
      overwritePage(file, page);
    }
    writeFileSync(join(from.root, 'noise.db'), bytes(5000));
    const made = await create(from, { container });
    const target = await expectLosses(
      made,
      'database-damaged-raw a.db',
      'database-damaged-raw large.db',
      'database-damaged-raw pb/b.db',
      'database-damaged-raw noise.db',
    );
    const [before, after] = [describeTree(from.root), describeTree(target)];
    expect(Object.keys(after)).toEqual([
      '.',
      './a.db',
      './a.db-wal',
      './large.db',
      './noise.db',
      './pb',
      './pb/b.db',
      './pb/b.db-wal',
    ]);
    for (const path of Object.keys(after)) expect([path, after[path]?.content]).toEqual([path, before[path]?.content]);
    // Proven by their sums alone: there is nothing SQLite could say.
    expect(await verify(made.file)).toMatchObject({ databases: 0, files: 6 });
  });

  it('in a folder may be written to all the time, and their journals come and go', async () => {
    const from = await instance({ pb: {} }, [directory('pb')]);
    const paths = ['main.db', 'other.db'].map((name) => join(from.root, 'pb', name));
    for (const path of paths) makeDatabase(path, ...counterSchema);
    await startApplication('sqlite-writer.mjs', paths[0] ?? '', paths[1] ?? '', '1');
    for (let run = 0; run < rounds(2, 6); run++) {
      const made = await create(from, { container, maxPause: 'none' });
      expect(
        briefly(made.findings).filter((text) => !/^(not-one-instant|file-changed) pb\/\w+\.db$/.test(text)),
      ).toEqual([]);
      expect((await verify(made.file)).verdict).toBe(made.complete ? 'intact' : 'incomplete');
      expect(made.manifest.totals.files).toBe(2);
    }
  });

  it('that are missing or empty', async () => {
    const from = await instance({ 'empty.db': '' }, [database('gone.db'), database('empty.db')]);
    const target = await expectLosses(await create(from, { container }), 'source-missing gone.db');
    expect(statSync(join(target, 'empty.db')).size).toBe(0);
  });

  it('of one application show one and the same instant, whatever it writes meanwhile', async () => {
    const from = await instance({}, [database('main.db'), database('other.db')]);
    const paths = ['main.db', 'other.db'].map((name) => join(from.root, name));
    for (const path of paths) makeDatabase(path, walMode, ...counterSchema);
    const writer = await startApplication('sqlite-writer.mjs', paths[0] ?? '', paths[1] ?? '', '1');
    for (let run = 0; run < rounds(2, 3); run++) {
      const made = await create(from, { container });
      expect(made).toMatchObject({ complete: true, findings: [] });
      const target = newTarget();
      await restore(made.file, target);
      const counts = ['main.db', 'other.db'].map((name) =>
        readDatabase<{ n: number }>(join(target, name), 'SELECT n FROM counter'),
      );
      expect(counts[0]).toEqual(counts[1]);
    }
    expect((await stopWriter(writer)).errors).toEqual([]);
  });
});

describe('a database that is not simply there', () => {
  it('is neither copied nor waited for where it is excluded, and its sidecars are nothing then', async () => {
    const from = await crashedWal('pb/logs.db', [directory('pb', { exclude: ['logs.db'] })]);
    writeFileSync(join(from.root, 'pb/f'), '');
    const made = await create(from);
    expect(made.findings).toEqual([]);
    expect(made.manifest.totals).toMatchObject({ files: 1 });
    const steps: string[] = [];
    await create(from, {}, { step: (_, message) => void steps.push(message) });
    expect(steps).toContain('copied 0 databases');
  });

  it('is copied late where an application opens it while the backup runs', async () => {
    const from = await instance({ pb: {} }, [directory('pb')]);
    const file = join(from.root, 'pb/late.db');
    makeDatabase(file, walMode, table, 'INSERT INTO t VALUES (1)');
    const open = (id: string): void => {
      if (id === 'databases-copied') crashAfter(file, 'INSERT INTO t VALUES (2)');
    };
    const made = await create(from, {}, { step: open });
    expect([made.complete, briefly(made.findings)]).toEqual([true, ['not-one-instant pb/late.db']]);
    const target = newTarget();
    expect(await restore(made.file, target)).toMatchObject({ databases: 1 });
    expect(Object.keys(describeTree(target))).toEqual(['.', './pb', './pb/late.db']);
    expect(numbers(join(target, 'pb/late.db'))).toEqual([1, 2]);
  });

  it('may have a name that leaves no room for a sidecar', async () => {
    const from = await instance({ pb: {} }, [directory('pb')]);
    const short = join(from.root, 'short.db');
    makeDatabase(short, table);
    const name = 'x'.repeat(255);
    copyFileSync(short, join(from.root, 'pb', name));
    const made = await create(from);
    expect(made.findings).toEqual([]);
    expect(made.manifest.totals.files).toBe(1);
  });

  it('may be reached by a link, and is restored where that lies', async () => {
    const from = await crashedWal('pb/real.db', [directory('data'), database('app.db', { path: 'data/app.db' })]);
    mkdirSync(join(from.root, 'data'));
    symlinkSync('../pb/real.db', join(from.root, 'data/app.db'));
    const made = await create(from);
    expect(made).toMatchObject({ complete: true, findings: [] });
    const target = newTarget();
    await restore(made.file, target);
    expect(Object.keys(describeTree(target))).toEqual(['.', './data', './data/app.db']);
    expect(numbers(join(target, 'data/app.db'))).toEqual([1, 2]);
  });

  it('may be two sources, the second by a link', async () => {
    const from = await crashedWal('a.db', [database('a.db'), database('b.db')]);
    symlinkSync('a.db', join(from.root, 'b.db'));
    const made = await create(from);
    expect(made.findings).toEqual([]);
    const target = newTarget();
    await restore(made.file, target);
    for (const name of ['a.db', 'b.db']) expect(numbers(join(target, name))).toEqual([1, 2]);
  });

  it('keeps the time and mode of the live file', async () => {
    const site = siteCopy();
    const file = join(site.root, 'var/user.brain');
    utimesSync(file, 1_600_000_000, 1_600_000_000);
    const made = await create(site);
    const target = newTarget();
    await restore(made.file, target);
    expect(statSync(join(target, 'var/user.brain')).mtimeMs).toBe(1_600_000_000_000);
    rmSync(file);
    await expectLosses(await create(site), 'source-missing user.brain');
  });
});
