import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { restoreOver } from '../helpers/in-place.js';
import { rewrite, rowOf } from '../helpers/in-place-database.js';
import {
  create,
  database,
  deps,
  describeTree,
  directory,
  expectRestored,
  failure,
  instance,
  newTarget,
  restore,
  siteCopy,
  stored,
  verify,
  type Instance,
} from '../helpers/instance.js';
import { temporaryFolder } from '../helpers/surroundings.js';
import { bytes, linkTo } from '../helpers/tree.js';
import { ids } from './altered-archives.js';
import { asker, createEncrypted, encryption, testPassphrase, withPassphrase } from './encrypted.js';
import { withCleanup } from '../../src/base/cleanup.js';
import type { AskPassphrase } from '../../src/base/passphrase.js';
import { sideSuffix } from '../../src/manifest/side-file.js';
import { fileBackup } from '../../src/operations/backup-file.js';
import { findBackup } from '../../src/operations/find-backup.js';
import { listBackups, type ListedBackup } from '../../src/operations/list-backups.js';
import { planRestore } from '../../src/operations/plan-restore.js';
import { showBackup } from '../../src/operations/show-backup.js';

const marker = 'what nobody else may read ';

/** A database, text, a link, and a file of nothing. */
async function small(): Promise<Instance> {
  const from = await instance({ data: { a: marker.repeat(9), l: linkTo('a'), e: '', s: { b: 'x' } } }, [
    database('app.db'),
    directory('data'),
  ]);
  rewrite(join(from.root, 'app.db'), marker);
  return from;
}

const list = ({ storage }: Instance): Promise<readonly ListedBackup[]> =>
  listBackups(storage, 'app', new AbortController().signal);
const show = (file: string, passphrase?: AskPassphrase): ReturnType<typeof showBackup> =>
  showBackup({ file: fileBackup(file), withEntries: true, passphrase }, deps());

describe('an encrypted backup', () => {
  it('is read back, verified and restored like any other', async () => {
    const from = siteCopy();
    const made = await createEncrypted(from);
    expect(made).toMatchObject({ complete: true, verified: true });
    expect(made.manifest.encryption).toEqual({ enabled: true, algorithm: 'AES-256-Zip', hint: 'in the safe' });
    const { ask, asked } = asker();
    expect(await verify(made.file, { passphrase: ask })).toMatchObject({
      verdict: 'intact',
      findings: [],
      databases: 2,
    });
    expect(asked).toEqual([{ file: made.file, hint: 'in the safe' }]);
    expect((await verify(made.file, { quick: true, ...withPassphrase() })).verdict).toBe('intact');
    const target = newTarget();
    await restore(made.file, target, withPassphrase());
    for (const source of ['uploads', 'snapshots'])
      expectRestored(join(target, 'var', source), join(from.root, 'var', source));
    expect((await show(made.file, asker().ask)).manifest).toMatchObject({ id: made.id, instance: 'app' });
  });

  it('holds large files that are read in blocks, whatever is read back of it', async () => {
    const from = await instance({ data: { text: marker.repeat(150_000), noise: bytes(3_500_000), nothing: '' } }, [
      directory('data'),
    ]);
    for (const options of [{ level: 0 }, { level: 6, quickCheck: true }]) {
      const { file } = await createEncrypted(from, options);
      const target = newTarget();
      await restore(file, target, withPassphrase());
      expectRestored(join(target, 'data'), join(from.root, 'data'));
    }
  });

  it('needs a zip, and a passphrase that is one', async () => {
    const from = await small();
    for (const options of [{ container: 'tar.gz' }, { encryption: encryption('') }] as const) {
      const error = await failure(createEncrypted(from, options));
      expect([error.id, error.exitCode]).toEqual(['usage', 2]);
    }
    expect(existsSync(from.storage.folder)).toBe(false);
  });

  it('holds neither the passphrase nor anything of its content', async () => {
    const from = await small();
    const { file } = await createEncrypted(from, { level: 0 });
    const archive = readFileSync(file);
    for (const plain of [testPassphrase, marker, 'SQLite format 3', '"sources"'])
      expect([plain, archive.includes(plain)]).toEqual([plain, false]);
    expect(archive.includes('in the safe')).toBe(true);
  });

  it('is not asked for a passphrase where there is nothing to open', async () => {
    const from = await small();
    const { file } = await create(from);
    const { ask, asked } = asker();
    await verify(file, { passphrase: ask });
    await restore(file, newTarget(), { passphrase: ask });
    await show(file, ask);
    expect(asked).toEqual([]);
  });
});

describe('without the passphrase', () => {
  const attempts = ['passphrase-wrong', 'passphrase-missing'] as const;

  it.each(attempts)('nothing is verified, shown or restored, and no file is made (%s)', async (id) => {
    const from = await small();
    const { file } = await createEncrypted(from);
    rewrite(join(from.root, 'app.db'), 'now');
    const before = [describeTree(from.root), stored(from)];
    const temporary = temporaryFolder();
    const using = { temporaryFolder: temporary };
    const passphrase = id === 'passphrase-missing' ? undefined : asker('another passphrase').ask;
    const given = { passphrase };
    const target = newTarget();
    const compared = { compare: true, ...given };
    for (const attempt of [
      () => verify(file, given, using),
      () => restore(file, target, given, using),
      () => restoreOver(from, file, compared, using),
      () => show(file, passphrase),
    ]) {
      const error = await failure(attempt());
      expect([error.id, error.exitCode, error.path]).toEqual([id, 12, file]);
      expect(error.hint).toBeDefined();
    }
    expect(readdirSync(dirname(target))).toEqual([]);
    expect(readdirSync(temporary)).toEqual([]);
    expect([describeTree(from.root), stored(from)]).toEqual(before);
  });

  it('what the asker rejects with is what the operation rejects with', async () => {
    const { file } = await createEncrypted(await small());
    const error = new Error('nobody there');
    await expect(verify(file, { passphrase: () => Promise.reject(error) })).rejects.toBe(error);
  });

  it('a file that is not the one its .sha256 was made for is damaged, whatever is asked', async () => {
    const { file } = await createEncrypted(await small());
    const archive = readFileSync(file);
    archive[archive.length >> 1]! ^= 1;
    writeFileSync(file, archive);
    for (const given of [{}, withPassphrase('wrong'), withPassphrase()]) {
      const { verdict, ...result } = await verify(file, given);
      expect([verdict, ids(result)]).toEqual(['damaged', expect.arrayContaining(['archive-checksum-mismatch'])]);
      expect((await failure(restore(file, newTarget(), given))).id).toBe('archive-damaged');
    }
  });

  it('a plan needs none where the archive is in clear', async () => {
    const { file } = await create(await small());
    const plan = await withCleanup((cleanup) =>
      planRestore(
        {
          ...{ file: fileBackup(file), target: undefined, only: undefined, owner: 'self' },
          ...{ allowUnverified: false, allowRepacked: false },
        },
        deps(),
        cleanup,
      ),
    );
    expect(plan.opened.passphrase).toBeUndefined();
  });
});

describe('listing encrypted backups', () => {
  const find = async ({ storage }: Instance, reference: string): Promise<string> =>
    (await findBackup({ reference, storage, instance: 'app', cwd: temporaryFolder() }, new AbortController().signal))
      .name;

  it('needs no passphrase, and they can be the latest', async () => {
    const from = await small();
    const made = await createEncrypted(from, { origin: 'daily' });
    expect(await list(from)).toMatchObject([
      {
        ...{ id: made.id, instance: 'app', foreign: false, origin: 'daily', status: 'ok', encrypted: true },
        ...{ includes: ['app.db', 'data'], scopes: ['databases', 'data'], reason: undefined },
      },
    ]);
    for (const reference of ['latest', 'latest:daily', made.id, made.id.slice(0, 8)])
      expect(await find(from, reference)).toBe(basename(made.file));
  });

  it('tells those that lack something, and those of others', async () => {
    const from = await instance({ data: { a: 'x' } }, [directory('data'), directory('more')]);
    await createEncrypted(from, { instance: 'app' });
    expect(await list(from)).toMatchObject([{ status: 'incomplete', encrypted: true, foreign: false }]);
    const other = await small();
    await createEncrypted(other, { instance: 'other' });
    expect(await list(other)).toMatchObject([{ instance: 'other', foreign: true }]);
    expect((await failure(find(other, 'latest'))).id).toBe('backup-not-found');
  });

  it('says why it knows nothing where the comment is none of ours', async () => {
    const from = await small();
    const { file } = await createEncrypted(from);
    writeFileSync(
      file,
      Buffer.from(readFileSync(file).toString('latin1').replace('"complete":true', '"complete":8888'), 'latin1'),
    );
    const [listed] = await list(from);
    expect(listed).toMatchObject({ status: 'unknown', encrypted: true, instance: undefined });
    expect(listed?.reason).toContain('comment');
  });

  it('is found out where the comment says otherwise than the manifest', async () => {
    const from = await small();
    const { file } = await createEncrypted(from);
    const bytesNow = readFileSync(file).toString('latin1');
    writeFileSync(file, Buffer.from(bytesNow.replace('"instance":"app"', '"instance":"apq"'), 'latin1'));
    rmSync(`${file}${sideSuffix}`);
    const { findings } = await verify(file, withPassphrase());
    expect(findings).toMatchObject([
      { id: 'container-altered', message: expect.stringContaining('instance') as string },
    ]);
    expect((await verify(file, { allowRepacked: true, ...withPassphrase() })).verdict).toBe('intact');
  });
});

describe('a restore in place of an encrypted backup', () => {
  it('keeps what it replaces in a safety backup of the same passphrase', async () => {
    const from = await small();
    const { file } = await createEncrypted(from);
    rewrite(join(from.root, 'app.db'), 'replaced');
    writeFileSync(join(from.root, 'data/a'), 'replaced text');
    const { safety } = await restoreOver(from, file, withPassphrase());
    expect(rowOf(join(from.root, 'app.db'))).toBe(marker);
    expect(safety?.manifest.encryption).toMatchObject({ enabled: true, hint: 'in the safe' });
    for (const name of stored(from))
      expect(readFileSync(join(from.storage.folder, name)).includes('replaced')).toBe(false);
    const target = newTarget();
    await restore(safety?.file ?? '', target, withPassphrase());
    expect([rowOf(join(target, 'app.db')), readFileSync(join(target, 'data/a'), 'utf8')]).toEqual([
      'replaced',
      'replaced text',
    ]);
    expect(readdirSync(from.root).sort()).toEqual(['app.db', 'data']);
  });

  it('takes the encryption it is given, whatever the backup is', async () => {
    const from = await small();
    const clear = await create(from, { quickCheck: true });
    const { safety } = await restoreOver(from, clear.file, { encryption: encryption('the other one', 'there') });
    expect(safety?.manifest.encryption.hint).toBe('there');
    expect((await verify(safety?.file ?? '', { quick: true, ...withPassphrase('the other one') })).verdict).toBe(
      'intact',
    );
  });

  it('merges single files too', async () => {
    const from = await small();
    const { file } = await createEncrypted(from);
    writeFileSync(join(from.root, 'data/a'), 'changed');
    await restoreOver(from, file, { paths: ['data/a'], ...withPassphrase() });
    expect(readFileSync(join(from.root, 'data/a'), 'utf8')).toBe(marker.repeat(9));
  });
});

it('takes in nothing that it makes itself where the root is a source', async () => {
  const from = await small();
  const { file } = await createEncrypted({ ...from, sources: [directory('all', { path: from.root })] });
  const { entries } = await show(file, asker().ask);
  expect(entries?.map(({ path }) => path).filter((path) => path.includes('staging'))).toEqual([]);
  expect(existsSync(join(from.root, '.bkp-staging'))).toBe(false);
});
