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
import { describe, expect, it } from 'vitest';
import { BkpError } from '../../src/base/errors.js';
import { silentProgress, type Progress } from '../../src/base/progress.js';
import { copyArchive, type CopyResult } from '../../src/operations/copy-archive.js';
import { findingInfo } from '../../src/manifest/findings.js';
import { LocalStorage } from '../../src/storage/local-storage.js';
import { create, deps, directory, failure, instance, stored, verify, type Using } from '../helpers/instance.js';
import { temporaryFolder, tinyFileSystem } from '../helpers/surroundings.js';
import { bytes } from '../helpers/tree.js';

interface Made {
  readonly storage: LocalStorage;
  readonly name: string;
  readonly sha256: string;
  readonly file: string;
}

/** A backup of somewhat more than two blocks. */
async function made(): Promise<Made> {
  const site = await instance({ data: { file: bytes(2_500_000) } }, [directory('data')]);
  const { file, id, sha256 } = await create(site);
  return { storage: site.storage, name: `${id}.zip`, sha256, file };
}

const copyTo = (folder: string, { storage, name, sha256 }: Made, using: Using = {}): Promise<CopyResult> =>
  copyArchive({ storage, name, sha256, folder, lockWait: 0 }, deps(using));

/** What the fault of a copy that failed says. */
async function fault(copying: Promise<CopyResult>): Promise<string> {
  const result = await copying;
  if (result.kind !== 'failed') throw new Error(`it was ${result.kind}`);
  expect(result.finding.id).toBe('copy-failed');
  expect(findingInfo[result.finding.id].kind).toBe('fault');
  return result.finding.message;
}

const inFolder = (folder: string): readonly string[] => stored({ storage: new LocalStorage(folder) });

describe('a copy of an archive', () => {
  it('is the same file with its checksum, in a folder that was there', async () => {
    const archive = await made();
    const folder = temporaryFolder();
    expect(await copyTo(folder, archive)).toEqual({ kind: 'copied', file: join(folder, archive.name) });
    expect(inFolder(folder)).toEqual([archive.name, `${archive.name}.sha256`]);
    const copy = join(folder, archive.name);
    expect(readFileSync(copy).equals(readFileSync(archive.file))).toBe(true);
    expect(statSync(copy).mode & 0o7777).toBe(0o600);
    expect(await verify(copy)).toMatchObject({ verdict: 'intact' });
  });

  it('that is there already is left as it is, and gets the checksum that it lacks', async () => {
    const archive = await made();
    const folder = temporaryFolder();
    await copyTo(folder, archive);
    const { ino } = statSync(join(folder, archive.name));
    const side = join(folder, `${archive.name}.sha256`);
    const text = readFileSync(side, 'utf8');
    for (const spoil of [() => undefined, () => rmSync(side), () => writeFileSync(side, 'x')]) {
      spoil();
      expect(await copyTo(folder, archive)).toMatchObject({ kind: 'present' });
      expect(readFileSync(side, 'utf8')).toBe(text);
    }
    expect(statSync(join(folder, archive.name)).ino).toBe(ino);
  });

  it('never takes the place of another file', async () => {
    const archive = await made();
    const folder = temporaryFolder();
    writeFileSync(join(folder, archive.name), 'another');
    expect(await fault(copyTo(folder, archive))).toMatch(/^no copy in .*: another file .* is there already \(/);
    expect(inFolder(folder)).toEqual([archive.name]);
    expect(readFileSync(join(folder, archive.name), 'utf8')).toBe('another');
  });

  it('replaces what a killed run had begun', async () => {
    const archive = await made();
    const folder = temporaryFolder();
    writeFileSync(join(folder, `.${archive.name}.partial`), 'half');
    writeFileSync(join(folder, '20200101T000000Z-daily.zip.sha256'), 'of an archive that never got its name');
    expect(await copyTo(folder, archive)).toMatchObject({ kind: 'copied' });
    expect(inFolder(folder)).toEqual([archive.name, `${archive.name}.sha256`]);
  });
});

describe('no copy is made', () => {
  it('where the folder is missing: it is not made, for nothing may be mounted there', async () => {
    const archive = await made();
    const folder = join(temporaryFolder(), 'mnt/nas');
    expect(await fault(copyTo(folder, archive))).toBe(
      `no copy in ${folder}: there is no folder ${folder} (it is never made: is it mounted?)`,
    );
    expect(existsSync(join(folder, '..'))).toBe(false);
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(await fault(copyTo(file, archive))).toContain('there is no folder');
  });

  it('into the storage itself, by whatever name', async () => {
    const archive = await made();
    const link = join(temporaryFolder(), 'link');
    symlinkSync(archive.storage.folder, link);
    for (const folder of [archive.storage.folder, link])
      expect(await fault(copyTo(folder, archive))).toBe(`no copy in ${folder}: it is the storage itself`);
  });

  it('of an archive that is no longer what was proven', async () => {
    const archive = await made();
    const folder = temporaryFolder();
    const content = readFileSync(archive.file);
    content[1_200_000]! ^= 1;
    chmodSync(archive.file, 0o600);
    writeFileSync(archive.file, content);
    expect(await fault(copyTo(folder, archive))).toMatch(/ is not what was proven: expected [0-9a-f]{64}, found /);
    writeFileSync(archive.file, content.subarray(0, 1000));
    await fault(copyTo(folder, archive));
    rmSync(archive.file);
    expect(await fault(copyTo(folder, archive))).toContain('there is no file');
    expect(inFolder(folder)).toEqual([]);
  });

  it('where what was written is read back as something else', async () => {
    const archive = await made();
    const folder = temporaryFolder();
    const size = statSync(archive.file).size;
    let seen = 0;
    const progress: Progress = {
      ...silentProgress,
      advance: (count) => {
        seen += count;
        if (seen === size) writeFileSync(join(folder, `.${archive.name}.partial`), 'X', { flag: 'r+' });
      },
    };
    expect(await fault(copyTo(folder, archive, { progress }))).toMatch(/what was written to .* is not what was proven/);
    expect(inFolder(folder)).toEqual([]);
  });

  it('on a full disk, where nothing is left of it', async (context) => {
    const folder = tinyFileSystem(1_000_000);
    if (folder === undefined) return context.skip();
    const archive = await made();
    expect(await fault(copyTo(folder, archive))).toContain('no space left while writing');
    expect(inFolder(folder)).toEqual([]);
  });

  it('while another run is at work there', async () => {
    const archive = await made();
    const folder = temporaryFolder();
    const lock = await new LocalStorage(folder).lock({ ...deps(), holder: 'prune', wait: 0 });
    expect(await fault(copyTo(folder, archive))).toContain('is held by prune');
    lock.release();
  });

  it('after a signal, which is what ends the run', async () => {
    const archive = await made();
    const folder = temporaryFolder();
    const controller = new AbortController();
    const progress: Progress = {
      ...silentProgress,
      advance: () => controller.abort(new BkpError('interrupted', 'interrupted (SIGINT)')),
    };
    const copying = copyTo(folder, archive, { progress, signal: controller.signal });
    expect((await failure(copying)).id).toBe('interrupted');
    expect(inFolder(folder)).toEqual([]);
    expect(readdirSync(folder)).toEqual(['.bkp.lock']);
  });
});

it('a storage that must exist is never made', async () => {
  const folder = join(temporaryFolder(), 'not/mounted');
  const storage = new LocalStorage(folder, { mustExist: true });
  for (const use of [
    () => storage.prepare(),
    () => storage.list(),
    () => storage.createPartial('a.zip'),
    () => storage.writeSide('a.zip.sha256', Buffer.from('x')),
    () => storage.lock({ ...deps(), holder: 'test', wait: 0 }),
  ]) {
    expect(await failure(use())).toMatchObject({ id: 'storage-not-found', exitCode: 10 });
  }
  expect(existsSync(join(folder, '..'))).toBe(false);
  mkdirSync(folder, { recursive: true });
  await storage.writeSide('a.zip.sha256', Buffer.from('x'));
  expect(readdirSync(folder)).toEqual(['a.zip.sha256']);
});
