import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Catalog } from '../../src/catalog/catalog.js';
import { isRoot, temporaryFolder, tinyFileSystem, unprivileged } from '../helpers/surroundings.js';
import { catalogFile, catalogIn, change, query, TestClock } from './catalogs.js';

const of = { instance: 'app', schedule: 'daily' };

/** A storage whose catalogue knows of one run and one verification. */
async function recorded(): Promise<string> {
  const folder = temporaryFolder();
  const catalog = await catalogIn(folder);
  const run = catalog.beginRun({ kind: 'create', ...of });
  run.step('named', 'named');
  run.end({ exitCode: 0 });
  catalog.recordVerification({ archive: 'a.zip', sha256: undefined, at: 1, verdict: 'intact' });
  catalog.close();
  return folder;
}

/** Calls everything there is; what cannot be read is `unknown`. */
function expectUnknown(catalog: Catalog): void {
  expect(catalog.runs()).toBe('unknown');
  expect(catalog.run('latest')).toBe('unknown');
  expect(catalog.run(1)).toBe('unknown');
  expect(catalog.lastSuccess(of)).toBe('unknown');
  expect(catalog.lastAttempts(of)).toBe('unknown');
  expect(catalog.verifications()).toBe('unknown');
}

function recordAll(catalog: Catalog): void {
  const run = catalog.beginRun({ kind: 'create', ...of });
  run.step('s', 'm');
  run.finding({ kind: 'note', id: 'n', message: 'm' });
  run.end({ exitCode: 0 });
  catalog.recordVerification({ archive: 'b.zip', sha256: undefined, at: 2, verdict: 'intact' });
  catalog.forget('a.zip', 'a');
}

const asideName = 'catalog.db.damaged-20251030T120000Z';

describe('a damaged catalogue', () => {
  const damages: Record<string, (folder: string) => void> = {
    'that is no database': (folder) =>
      writeFileSync(catalogFile(folder), 'not a database, but long enough\n'.repeat(99)),
    'with a page of noise': (folder) => {
      const bytes = readFileSync(catalogFile(folder));
      writeFileSync(catalogFile(folder), bytes.fill(0x5a, 200, 4096));
    },
    'cut short': (folder) => truncateSync(catalogFile(folder), 5000),
    'with a table missing': (folder) => change(folder, 'DROP TABLE step'),
    'with a view that has no end in the place of a table': (folder) =>
      change(
        folder,
        `DROP TABLE archive; CREATE VIEW archive AS WITH RECURSIVE n (name, sha256, verified_at, verdict) AS
         (SELECT '', '', 1, '' UNION ALL SELECT name, '', 1, '' FROM n) SELECT * FROM n`,
      ),
    'with a trigger': (folder) => change(folder, 'CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM run; END'),
    'of another program': (folder) => change(folder, 'PRAGMA user_version = 0'),
  };

  it.each(Object.keys(damages))('%s is unknown to who reads, and kept aside by who writes', async (how) => {
    const folder = await recorded();
    damages[how]!(folder);
    const bytes = readFileSync(catalogFile(folder));
    const reader = await catalogIn(folder);
    expectUnknown(reader);
    expect(reader.warning).toMatch(/^the history of runs in .*catalog\.db (cannot be read|is not a catalogue)/);
    expect(readdirSync(folder)).toEqual(['catalog.db']);
    expect(readFileSync(catalogFile(folder)).equals(bytes)).toBe(true);

    const writer = await catalogIn(folder);
    recordAll(writer);
    expect(readdirSync(folder)).toEqual(['catalog.db', asideName]);
    expect(readFileSync(join(folder, asideName)).equals(bytes)).toBe(true);
    expect(writer.warning).toContain(`it is kept as ${join(folder, asideName)}, and a new one was begun`);
    expect(writer.run('latest')).toMatchObject({ run: { id: 1, state: 'done' }, steps: [{}], findings: [{}] });
    expect(writer.verifications()).toMatchObject([{ archive: 'b.zip' }]);
  });

  it('takes along what lies beside it, which would spoil the new one', async () => {
    const folder = await recorded();
    const other = new Database(catalogFile(folder));
    onTestFinished(() => void other.close());
    other.pragma('journal_mode = WAL');
    other.exec('CREATE TABLE another (a)');
    const catalog = await catalogIn(folder);
    recordAll(catalog);
    expect(readdirSync(folder)).toEqual(['catalog.db', asideName, `${asideName}-shm`, `${asideName}-wal`]);
    expect(catalog.runs()).toHaveLength(1);
  });

  it('never takes the name of an earlier one', async () => {
    const folder = await recorded();
    for (const content of ['first', 'second']) {
      writeFileSync(catalogFile(folder), content.repeat(500));
      recordAll(await catalogIn(folder));
    }
    expect(readdirSync(folder)).toEqual(['catalog.db', asideName, `${asideName}-2`]);
    expect(readFileSync(join(folder, asideName), 'utf8')).toMatch(/^first/);
  });

  it('is begun anew in the middle of a run, which then is all in the new one', async () => {
    const folder = await recorded();
    const catalog = await catalogIn(folder);
    const run = catalog.beginRun({ kind: 'create', ...of });
    writeFileSync(catalogFile(folder), 'z'.repeat(5000));
    run.step('named', 'named');
    run.end({ exitCode: 0 });
    expect(catalog.runs()).toMatchObject([{ state: 'done', steps: 1, schedule: 'daily' }]);
    expect(catalog.warning).toContain(asideName);
  });
});

describe('a catalogue that is taken away', () => {
  it.each(['removed', 'replaced by another'])('%s in the middle of a run has the run all the same', async (how) => {
    const folder = await recorded();
    const catalog = await catalogIn(folder);
    const run = catalog.beginRun({ kind: 'create', ...of });
    rmSync(catalogFile(folder));
    if (how !== 'removed') (await catalogIn(folder)).beginRun({ kind: 'verify' }).end({ exitCode: 0 });
    run.step('named', 'named');
    run.end({ exitCode: 0 });
    expect(catalog.lastSuccess(of)).toMatchObject({ id: how === 'removed' ? 1 : 2, state: 'done', steps: 1 });
    expect(catalog.warning).toBeUndefined();
  });

  it('with its whole storage is no trouble', async () => {
    const folder = join(temporaryFolder(), 'storage');
    mkdirSync(folder);
    const catalog = await catalogIn(folder);
    const run = catalog.beginRun({ kind: 'create' });
    rmSync(folder, { recursive: true });
    run.step('s', 'm');
    run.end({ exitCode: 1 });
    expect(existsSync(folder)).toBe(false);
    expect(catalog.warning).toBeUndefined();
  });
});

describe('a catalogue', () => {
  it('of which a killed process has made no more than the file is begun', async () => {
    const folder = temporaryFolder();
    writeFileSync(catalogFile(folder), '');
    const catalog = await catalogIn(folder);
    for (let n = 0; n < 2; n += 1) expect(catalog.runs()).toEqual([]);
    expect(readFileSync(catalogFile(folder))).toHaveLength(0);
    recordAll(catalog);
    expect(catalog.runs()).toHaveLength(1);
    expect(catalog.warning).toBeUndefined();
  });

  it('of a newer version is left as it is', async () => {
    const folder = await recorded();
    change(folder, 'PRAGMA user_version = 2; ALTER TABLE run ADD COLUMN more TEXT');
    const bytes = readFileSync(catalogFile(folder));
    const catalog = await catalogIn(folder);
    recordAll(catalog);
    expectUnknown(catalog);
    expect(catalog.warning).toContain('was written by a newer version of bkp');
    expect(readdirSync(folder)).toEqual(['catalog.db']);
    expect(readFileSync(catalogFile(folder)).equals(bytes)).toBe(true);
  });

  it.each(['link', 'folder'])('that is a %s is left as it is', async (what) => {
    const folder = temporaryFolder();
    const elsewhere = await recorded();
    if (what === 'link') symlinkSync(catalogFile(elsewhere), catalogFile(folder));
    else mkdirSync(catalogFile(folder));
    const catalog = await catalogIn(folder);
    recordAll(catalog);
    expectUnknown(catalog);
    expect(catalog.warning).toMatch(/catalog\.db is not a regular file$/);
    expect(query(elsewhere, 'SELECT count(*) AS runs FROM run')).toEqual([{ runs: 1 }]);
  });

  it('that another program keeps locked delays a run by seconds, not more', async () => {
    const folder = await recorded();
    const other = new Database(catalogFile(folder));
    onTestFinished(() => void other.close());
    other.exec('BEGIN EXCLUSIVE');
    const catalog = await catalogIn(folder);
    const started = performance.now();
    const run = catalog.beginRun({ kind: 'create' });
    for (let n = 0; n < 400; n += 1) run.step('s', 'm');
    run.end({ exitCode: 0 });
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(catalog.warning).toMatch(/cannot be written: database is locked \(SQLITE_BUSY\)$/);
    expect(catalog.verifications()).toBe('unknown');
    other.exec('ROLLBACK');
    expect(catalog.runs()).toHaveLength(1);
  });

  it('that was locked for a while has all in the end, without a warning', async () => {
    const folder = await recorded();
    const other = new Database(catalogFile(folder));
    onTestFinished(() => void other.close());
    other.exec('BEGIN EXCLUSIVE');
    const catalog = await catalogIn(folder);
    const run = catalog.beginRun({ kind: 'create' });
    run.step('s', 'm');
    other.exec('ROLLBACK');
    run.end({ exitCode: 0 });
    expect(catalog.run('latest')).toMatchObject({ run: { id: 2, state: 'done' }, steps: [{ id: 's' }] });
    expect(catalog.warning).toBeUndefined();
  });

  it.runIf(isRoot)('that may only be read is read', async () => {
    const folder = await recorded();
    chmodSync(folder, 0o755);
    chmodSync(catalogFile(folder), 0o644);
    const catalog = await catalogIn(folder, new TestClock());
    unprivileged(() => {
      recordAll(catalog);
      expect(catalog.runs()).toHaveLength(1);
    });
    expect(catalog.warning).toMatch(/cannot be written: attempt to write a readonly database \(SQLITE_READONLY/);
    expect(readdirSync(folder)).toEqual(['catalog.db']);
  });

  it.runIf(isRoot)('that may neither be read nor written is unknown', async () => {
    const folder = await recorded();
    chmodSync(folder, 0o755);
    const catalog = await catalogIn(folder);
    unprivileged(() => {
      recordAll(catalog);
      expectUnknown(catalog);
    });
    expect(catalog.warning).toMatch(/cannot be written: unable to open database file \(SQLITE_CANTOPEN/);
  });

  it.runIf(isRoot)('that cannot be made is none', async () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o755);
    const catalog = await catalogIn(folder);
    unprivileged(() => {
      recordAll(catalog);
      expect(catalog.runs()).toEqual([]);
    });
    expect(catalog.warning).toMatch(/cannot be written: EACCES/);
  });

  it.runIf(isRoot)('that is damaged and cannot be moved aside is unknown', async () => {
    const folder = await recorded();
    writeFileSync(catalogFile(folder), 'x'.repeat(5000));
    chownSync(catalogFile(folder), 65534, 65534);
    chmodSync(folder, 0o755);
    const catalog = await catalogIn(folder);
    unprivileged(() => {
      recordAll(catalog);
      expectUnknown(catalog);
    });
    expect(catalog.warning).toMatch(/is damaged \(file is not a database\), and cannot be moved aside: EACCES/);
  });

  it('on a full disk loses the run, and no more', async (context) => {
    const folder = tinyFileSystem(131_072);
    if (folder === undefined) return context.skip();
    const catalog = await catalogIn(folder);
    recordAll(catalog);
    expect(catalog.warning).toBeUndefined();
    try {
      writeFileSync(join(folder, 'filler'), Buffer.alloc(131_072));
    } catch {
      // As much as fits.
    }
    const run = catalog.beginRun({ kind: 'create' });
    for (let n = 0; n < 400; n += 1) run.step('s', 'm'.repeat(900));
    run.end({ exitCode: 13 });
    expect(catalog.warning).toMatch(/cannot be written: .*\(SQLITE_(FULL|IOERR\w*)\)$/);
    expect(catalog.runs()).toMatchObject([{ id: 1, state: 'done' }]);
    rmSync(join(folder, 'filler'));
    catalog.beginRun({ kind: 'create' }).end({ exitCode: 0 });
    expect(catalog.runs()).toMatchObject([{ state: 'done' }, { id: 1 }]);
  });
});
