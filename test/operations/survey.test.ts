import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import { survey, surveyLimits, type SurveyRequest } from '../../src/operations/survey.js';
import { holdDatabase, makeDatabase } from '../helpers/layout.js';
import { oddNames, temporaryFolder, unprivilegedAsync } from '../helpers/surroundings.js';

function look(root: string, more: Partial<SurveyRequest> = {}, signal = new AbortController().signal) {
  return survey({ root, skip: [], wanted: new Set(), ...more }, { clock: systemClock, signal });
}

const pathsOf = (found: { readonly databases: readonly { readonly path: string }[] }): readonly string[] =>
  found.databases.map(({ path }) => path);

describe('survey', () => {
  it('knows databases by their first bytes, whatever they are called, with size and journal mode', async () => {
    const root = temporaryFolder();
    makeDatabase(join(root, 'a/b/state'));
    makeDatabase(join(root, 'old.brain'), { wal: false });
    writeFileSync(join(root, 'looks-like.db'), Buffer.alloc(4096));
    writeFileSync(join(root, 'empty.db'), '');
    const found = await look(root);
    const bytes = (path: string): number => statSync(join(root, path)).size;
    expect(found).toMatchObject({
      databases: [
        { path: 'a/b/state', bytes: bytes('a/b/state'), journalMode: 'wal', live: false },
        { path: 'old.brain', bytes: bytes('old.brain'), journalMode: 'delete', live: false },
      ],
      unread: [],
      cut: undefined,
    });
    expect([...found.folders].sort()).toEqual(['a', 'a/b']);
  });

  it('finds one that was cut short by its name', async () => {
    const root = temporaryFolder();
    makeDatabase(join(root, 'cut.sqlite3'));
    truncateSync(join(root, 'cut.sqlite3'), 5000);
    expect(pathsOf(await look(root))).toEqual(['cut.sqlite3']);
  });

  it('leaves a database that is being written and its sidecars as they are', async () => {
    const root = temporaryFolder();
    const file = join(root, 'live.db');
    makeDatabase(file);
    const { commit } = holdDatabase(file);
    commit();
    const before = readdirSync(root).map((name) => [name, statSync(join(root, name)).mtimeMs]);
    const found = await look(root);
    expect(readdirSync(root).map((name) => [name, statSync(join(root, name)).mtimeMs])).toEqual(before);
    const wal = statSync(`${file}-wal`).size;
    expect(wal).toBeGreaterThan(0);
    expect(found.databases).toEqual([
      { path: 'live.db', bytes: statSync(file).size + wal, journalMode: 'wal', live: true },
    ]);
    commit();
  });

  it('never waits for a named pipe, and is not led around by links', async () => {
    const root = temporaryFolder();
    execFileSync('mkfifo', [join(root, 'x.db')]);
    mkdirSync(join(root, 'data'));
    for (const [target, name] of [
      ['.', 'here'],
      ['/', 'top'],
      ['..', 'data/up'],
      ['/nowhere', 'nowhere'],
      ['circle', 'circle'],
      ['/proc', 'processes'],
    ] as const)
      symlinkSync(target, join(root, name));
    makeDatabase(join(root, 'data/a.db'));
    linkSync(join(root, 'data/a.db'), join(root, 'data/second-name.db'));
    const found = await look(root);
    expect(pathsOf(found)).toHaveLength(1);
    expect([...found.folders]).toEqual(['data']);
    expect(found.unread).toEqual([]);
  });

  it('follows a link out of the root once, and tells of those within it', async () => {
    const root = temporaryFolder();
    const elsewhere = temporaryFolder();
    makeDatabase(join(elsewhere, 'x.db'));
    symlinkSync(elsewhere, join(root, 'data'));
    symlinkSync(elsewhere, join(root, 'data-too'));
    symlinkSync(root, join(elsewhere, 'back'));
    makeDatabase(join(root, 'a/y.db'));
    symlinkSync('a', join(root, 'b'));
    const found = await look(root);
    expect(found.databases).toHaveLength(2);
    expect(pathsOf(found).some((path) => /^data(?:-too)?\/x\.db$/.test(path))).toBe(true);
    expect(pathsOf(found)).toContain('a/y.db');
    expect(found.links).toContainEqual({ path: 'b', to: 'folder', target: 'a' });
    expect(found.links).toContainEqual({ path: 'data', to: 'folder', target: elsewhere });
  });

  it('looks into neither code, caches, copies, archives nor what is passed over', async () => {
    const root = temporaryFolder();
    for (const name of ['node_modules/m', '.git', 'vendor', 'Cache', 'data/tmp', 'backups', 'archives', 'elsewhere'])
      makeDatabase(join(root, name, 'x.db'));
    makeDatabase(join(root, 'archives/.bkp.lock'));
    makeDatabase(join(root, '.bkp-restore/x.db'));
    makeDatabase(join(root, 'data/.20251030T120000Z-manual.staging/x.db'));
    makeDatabase(join(root, 'data/.20251030T120000Z-manual.staging.lock'));
    const found = await look(root, { skip: [join(root, 'elsewhere')] });
    expect(pathsOf(found)).toEqual([]);
    expect(found.disposable).toEqual(['Cache', 'data/tmp', 'node_modules']);
  });

  it('takes names as they are, and tells those that are not UTF-8', async () => {
    const root = temporaryFolder();
    // SQLite itself could not make all of them.
    const template = join(temporaryFolder(), 'template.db');
    makeDatabase(template);
    mkdirSync(join(root, 'd'));
    for (const name of oddNames) copyFileSync(template, join(root, 'd', name));
    const bad = Buffer.concat([Buffer.from(`${root}/d/bad`), Buffer.from([0xff])]);
    writeFileSync(bad, '');
    const found = await look(root);
    const usable = oddNames.filter((name) => Buffer.byteLength(`${name}-journal`) <= 255);
    expect([...pathsOf(found)].sort()).toEqual(usable.map((name) => `d/${name}`).sort());
    expect(found.unread).toEqual([{ path: 'd/bad\ufffd', reason: 'its name is not valid UTF-8' }]);
  });

  it('tells what it may not read', async () => {
    const root = temporaryFolder();
    mkdirSync(join(root, 'closed'), { mode: 0o700 });
    makeDatabase(join(root, 'secret.db'));
    chmodSync(join(root, 'secret.db'), 0o600);
    if (process.geteuid?.() !== 0) for (const name of ['closed', 'secret.db']) chmodSync(join(root, name), 0);
    const found = await unprivilegedAsync(() => look(root));
    expect(found.unread.map(({ path }) => path).sort()).toEqual(['closed', 'secret.db']);
    expect(found.unread.every(({ reason }) => reason.startsWith('EACCES'))).toBe(true);
    chmodSync(join(root, 'closed'), 0o700);
  });

  it('ends where there is too much, and says so', async () => {
    const root = temporaryFolder();
    for (let n = 0; n < 40; n++) mkdirSync(join(root, `f${n}/g/h`), { recursive: true });
    const limits = surveyLimits;
    expect((await look(root, { limits: { ...limits, entries: 30 } })).cut).toBe('entries');
    expect((await look(root, { limits: { ...limits, depth: 2 } })).cut).toBe('depth');
    expect((await look(root, { limits: { ...limits, depth: 3 } })).cut).toBe('depth');
    expect((await look(root, { limits: { ...limits, depth: 4 } })).cut).toBeUndefined();
    for (let n = 0; n < 300; n++) writeFileSync(join(root, `x${n}`), '');
    expect((await look(root, { limits: { ...limits, milliseconds: -1 } })).cut).toBe('time');
  });

  it('is ended by a signal', async () => {
    const root = temporaryFolder();
    mkdirSync(join(root, 'a'));
    const reason = new Error('stop');
    await expect(look(root, {}, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
