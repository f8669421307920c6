import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { create, directory, failure, instance, siteCopy, verify, type Instance } from '../helpers/instance.js';
import { temporaryFolder } from '../helpers/surroundings.js';
import { craft } from './crafted-archive.js';
import { systemClock } from '../../src/base/clock.js';
import type { CreateResult } from '../../src/operations/create-backup.js';
import { findBackup } from '../../src/operations/find-backup.js';
import { listBackups, type ListedBackup } from '../../src/operations/list-backups.js';

const signal = new AbortController().signal;
const site = (): Promise<Instance> => instance({ data: { f: 'x' } }, [directory('data', { scope: 'uploads' })]);
const list = ({ storage }: Instance, of = 'app'): Promise<readonly ListedBackup[]> => listBackups(storage, of, signal);

/** What a reference means: the file's own name. */
const find = async ({ storage }: Instance, reference: string, cwd = temporaryFolder(), of = 'app'): Promise<string> =>
  (await findBackup({ reference, storage, instance: of, cwd }, signal)).name;

const nobodyKnows = async (from: Instance, reference: string): Promise<string> =>
  (await failure(find(from, reference))).id;

function at(time: string): { clock: typeof systemClock } {
  return { clock: { ...systemClock, now: () => Date.parse(time) } };
}

async function three(from: Instance): Promise<readonly [CreateResult, CreateResult, CreateResult]> {
  return [
    await create(from, { origin: 'daily' }, at('2025-10-28T12:00:00Z')),
    await create(from, { container: 'tar.gz' }, at('2025-10-29T12:00:00Z')),
    await create(from, { origin: 'daily' }, at('2025-10-30T12:00:00Z')),
  ];
}

describe('listing', () => {
  it('is empty where nothing was made, and says so where there is no storage', async () => {
    const from = await site();
    expect((await failure(list(from))).id).toBe('storage-not-found');
    mkdirSync(from.storage.folder);
    expect(await list(from)).toEqual([]);
    for (const reference of ['latest', 'latest:daily', '2025', 'none', '20251030T120000Z-daily']) {
      expect(await nobodyKnows(from, reference)).toBe('backup-not-found');
    }
  });

  it('shows what archives say of themselves, the newest first, whatever their times', async () => {
    const from = await site();
    const [first, second, third] = await three(from);
    utimesSync(first.file, 4e9, 4e9);
    writeFileSync(`${second.file}.locked`, '');
    writeFileSync(join(from.storage.folder, 'notes.txt'), 'not one of ours');
    const listed = await list(from);
    expect(listed.map(({ id }) => id)).toEqual([third.id, second.id, first.id]);
    expect(listed[1]).toEqual({
      ...{ id: '20251029T120000Z-manual', name: '20251029T120000Z-manual.tar.gz', file: second.file, instance: 'app' },
      ...{
        foreign: false,
        time: Date.parse('2025-10-29T12:00:00Z'),
        bytes: statSync(second.file).size,
        container: 'tar.gz',
      },
      ...{ includes: ['data'], scopes: ['uploads'], origin: 'manual', status: 'ok', locked: true, encrypted: false },
      ...{ losses: 0, reason: undefined },
    });
  });

  it('shows an archive that was copied in under another name', async () => {
    const from = await site();
    const other = await site();
    const made = await create(other, { container: 'tar.gz' }, at('2025-01-01T00:00:00Z'));
    mkdirSync(from.storage.folder);
    copyFileSync(made.file, join(from.storage.folder, 'from last year.tgz'));
    expect(await list(from)).toMatchObject([
      { id: made.id, name: 'from last year.tgz', time: Date.parse('2025-01-01T00:00:00Z'), status: 'ok' },
    ]);
    for (const reference of [made.id, 'latest', '2025', 'from last year.tgz']) {
      expect(await find(from, reference)).toBe('from last year.tgz');
    }
  });

  it('shows a damaged one as damaged, and does not take it for the latest', async () => {
    const from = await site();
    const [first, second, third] = await three(from);
    truncateSync(third.file, third.bytes - 5);
    writeFileSync(join(from.storage.folder, 'empty.zip'), '');
    writeFileSync(join(from.storage.folder, 'noise.tar.gz'), 'noise');
    truncateSync(second.file, 100);
    const listed = await list(from);
    const status = (name: string): unknown => listed.find((one) => one.name.startsWith(name))?.status;
    expect(['empty', 'noise', third.id, second.id, first.id].map(status)).toEqual([
      'damaged',
      'damaged',
      'damaged',
      'damaged',
      'ok',
    ]);
    expect(listed.filter((one) => one.status === 'damaged').every(({ reason }) => reason !== undefined)).toBe(true);
    expect(await find(from, 'latest')).toBe(`${first.id}.zip`);
    expect(await find(from, third.id)).toBe(`${third.id}.zip`);
  });

  it('shows an incomplete one with what it lacks, and does not take it for the latest', async () => {
    const from = await site();
    const whole = await create(from, {}, at('2025-10-28T12:00:00Z'));
    const lacking = await create(
      { ...from, sources: [...from.sources, directory('gone')] },
      {},
      at('2025-10-29T12:00:00Z'),
    );
    expect(await list(from)).toMatchObject([
      { id: lacking.id, status: 'incomplete', losses: 1 },
      { id: whole.id, status: 'ok' },
    ]);
    expect(await find(from, 'latest')).toBe(`${whole.id}.zip`);
  });

  it('knows those of other instances as foreign: never the latest', async () => {
    const from = await site();
    const own = await create(from, {}, at('2025-10-28T12:00:00Z'));
    const foreign = await create(from, { instance: 'other' }, at('2025-10-29T12:00:00Z'));
    expect((await list(from)).map((one) => one.foreign)).toEqual([true, false]);
    expect(await find(from, 'latest')).toBe(`${own.id}.zip`);
    expect(await find(from, 'latest', temporaryFolder(), 'other')).toBe(`${foreign.id}.zip`);
    expect(await find(from, foreign.id)).toBe(`${foreign.id}.zip`);
  });

  it('shows one that says nothing of when it was made', async () => {
    const from = await site();
    mkdirSync(from.storage.folder);
    const file = await craft({
      entries: [{ path: 'data/a', content: 'x' }],
      manifest: ({ id: _, instance: __, ...rest }) => rest,
    });
    copyFileSync(file, join(from.storage.folder, 'mine.zip'));
    expect(await list(from)).toMatchObject([
      { id: 'mine', origin: undefined, foreign: false, time: Date.parse('2025-10-30T12:00:00Z') },
    ]);
  });
});

describe('finding', () => {
  it('takes ids, unique beginnings, the latest, and paths to files anywhere', async () => {
    const from = await site();
    const [first, second, third] = await three(from);
    const names = [`${first.id}.zip`, `${second.id}.tar.gz`, `${third.id}.zip`];
    for (const [index, { id }] of [first, second, third].entries()) expect(await find(from, id)).toBe(names[index]);
    expect(await find(from, '20251028')).toBe(names[0]);
    expect(await find(from, '20251029T')).toBe(names[1]);
    expect(await find(from, 'latest')).toBe(names[2]);
    expect(await find(from, 'latest:daily')).toBe(names[2]);
    expect(await find(from, 'latest:manual')).toBe(names[1]);
    expect(await nobodyKnows(from, 'latest:weekly')).toBe('backup-not-found');
    expect(await nobodyKnows(from, '2024')).toBe('backup-not-found');
    expect(await nobodyKnows(from, '')).toBe('backup-not-found');
    const cwd = temporaryFolder();
    copyFileSync(second.file, join(cwd, 'copy.bin'));
    for (const reference of ['copy.bin', './copy.bin', join(cwd, 'copy.bin')]) {
      const found = await findBackup({ reference, storage: from.storage, instance: 'app', cwd }, signal);
      expect([found.location, found.storage]).toEqual([join(cwd, 'copy.bin'), undefined]);
      expect((await verify(found)).verdict).toBe('intact');
    }
  });

  it('does not choose among several', async () => {
    const from = await site();
    const made = await three(from);
    const error = await failure(find(from, '202510'));
    expect([error.id, error.exitCode]).toEqual(['backup-ambiguous', 2]);
    for (const { id } of made) expect(error.message).toContain(id);
  });

  it('takes an exact id although another one begins with it, and although a copy says it is the same', async () => {
    const from = await site();
    const clock = at('2025-10-28T12:00:00Z');
    const short = await create(from, { origin: 'day' }, clock);
    const long = await create(from, { origin: 'daylight' }, clock);
    expect(long.id.startsWith(short.id)).toBe(true);
    expect(await find(from, short.id)).toBe(`${short.id}.zip`);
    copyFileSync(short.file, join(from.storage.folder, 'copy.zip'));
    expect(await find(from, short.id)).toBe(`${short.id}.zip`);
    expect(await find(from, 'copy.zip')).toBe('copy.zip');
  });

  it('takes nothing for the latest that names another instance, none, or a time to come', async () => {
    const from = await site();
    const own = await create(from, {}, at('2025-10-28T12:00:00Z'));
    const manifest = {
      version: '1.0.0',
      includes: [],
      hash: `sha256:${'0'.repeat(64)}`,
      encryption: { enabled: false },
    };
    const crafted = await craft({
      entries: [],
      manifest: () => ({ ...manifest, generatedAt: '2099-01-01T00:00:00Z' }),
    });
    copyFileSync(crafted, join(from.storage.folder, 'x.zip'));
    const [first] = await list(from);
    expect(first).toMatchObject({ name: 'x.zip', status: 'unproven', instance: undefined });
    expect(first?.reason).toContain('manifest');
    await create(from, {}, at('2099-10-28T12:00:00Z'));
    expect(await find(from, 'latest')).toBe(`${own.id}.zip`);
    const wanted = { reference: 'latest', storage: from.storage, instance: 'app', cwd: '/' };
    const later = await findBackup(wanted, signal, at('2099-10-27T13:00:00Z').clock);
    expect(later.name).toBe('20991028T120000Z-manual.zip');
    expect(await nobodyKnows(from, 'latest:weekly')).toBe('backup-not-found');
    expect((await failure(find(from, 'latest', '/', 'other'))).id).toBe('backup-not-found');
  });

  it('does not take a safety backup for the latest', async () => {
    const from = await site();
    const whole = await create(from, {}, at('2025-10-28T12:00:00Z'));
    await create(from, { origin: 'safety' }, at('2025-10-29T12:00:00Z'));
    expect(await find(from, 'latest')).toBe(`${whole.id}.zip`);
  });

  it('does not take a folder for the beginning of an id', async () => {
    const from = await site();
    const [first] = await three(from);
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, '20251028'));
    expect(await find(from, '20251028', cwd)).toBe(`${first.id}.zip`);
  });

  it('needs a path where no instance is known', async () => {
    const from = await site();
    const { file } = await create(from);
    const cwd = temporaryFolder();
    renameSync(file, join(cwd, 'x.zip'));
    const found = await findBackup({ reference: 'x.zip', storage: undefined, instance: undefined, cwd }, signal);
    expect((await verify(found)).verdict).toBe('intact');
    const nothing = findBackup({ reference: 'latest', storage: undefined, instance: undefined, cwd }, signal);
    expect((await failure(nothing)).id).toBe('file-not-found');
  });
});

describe('verifying', () => {
  it('rejects where there is no such file, and tells what is none', async () => {
    const folder = temporaryFolder();
    expect((await failure(verify(join(folder, 'none.zip')))).id).toBe('file-not-found');
    expect((await failure(verify(folder))).exitCode).toBe(2);
    writeFileSync(join(folder, 'text'), 'a text');
    expect(await verify(join(folder, 'text'))).toMatchObject({
      verdict: 'damaged',
      findings: [{ id: 'structure-invalid' }],
    });
    writeFileSync(join(folder, 'text'), '');
    expect(await verify(join(folder, 'text'))).toMatchObject({ verdict: 'damaged', findings: [{ id: 'truncated' }] });
  });

  it.each<[string, string | Buffer]>([
    ['empty', ''],
    ['noise', 'noise'],
    ['long', Buffer.alloc(100_000, 'a')],
    ['of another file', `${'0'.repeat(64)}  x.zip\n`],
  ])('does not pass an archive whose side file is %s', async (_, text) => {
    const from = await site();
    const made = await create(from);
    writeFileSync(`${made.file}.sha256`, text);
    for (const file of [
      made.file,
      await findBackup({ reference: 'latest', storage: from.storage, instance: 'app', cwd: '/' }, signal),
    ]) {
      expect((await verify(file)).verdict).toBe('damaged');
    }
    rmSync(`${made.file}.sha256`);
    expect((await verify(made.file)).verdict).toBe('intact');
  });

  it('takes a side file as sha256sum itself writes it, under any name', async () => {
    const made = await create(await site());
    for (const text of [`${made.sha256}\n`, made.sha256, `${made.sha256.toUpperCase()} *../other name.zip\n`]) {
      writeFileSync(`${made.file}.sha256`, text);
      expect((await verify(made.file)).findings).toEqual([]);
    }
  });

  it('calls it damage where a file that is not the one written says that it is of a newer format', async () => {
    const file = await craft({
      entries: [{ path: 'data/a', content: 'x' }],
      manifest: (honest) => ({ ...honest, version: '9.0.0' }),
    });
    expect((await failure(verify(file))).id).toBe('format-newer');
    writeFileSync(`${file}.sha256`, `${'0'.repeat(64)}  x\n`);
    expect(await verify(file)).toMatchObject({ verdict: 'damaged', findings: [{ id: 'archive-checksum-mismatch' }] });
  });

  it('takes the databases out into a private folder, and removes those that killed verifications left', async () => {
    const { file } = await create(siteCopy());
    const scratch = temporaryFolder();
    const dead = join(scratch, '.bkp-verify-1234.staging');
    mkdirSync(dead);
    writeFileSync(join(dead, 'database-0'), 'secret');
    writeFileSync(`${dead}.lock`, '');
    mkdirSync(join(scratch, '.another-tool.staging'));
    const using = { temporaryFolder: scratch };
    const results = await Promise.all([verify(file, {}, using), verify(file, {}, using)]);
    expect(results.map(({ verdict, databases }) => [verdict, databases])).toEqual([
      ['intact', 2],
      ['intact', 2],
    ]);
    expect(readdirSync(scratch)).toEqual(['.another-tool.staging']);
  });

  it('looks at no content where it is to be quick, and at all bytes even so', async () => {
    const made = await create(await site());
    expect(await verify(made.file, { quick: true })).toMatchObject({
      verdict: 'intact',
      files: 0,
      databases: 0,
      sha256: made.sha256,
    });
    rmSync(`${made.file}.sha256`);
    const bytes = readFileSync(made.file);
    bytes[70] = (bytes[70] ?? 0) ^ 1;
    writeFileSync(made.file, bytes);
    expect((await verify(made.file, { quick: true })).verdict).toBe('damaged');
  });
});
