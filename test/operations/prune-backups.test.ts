import { copyFileSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../src/base/clock.js';
import { openCatalog } from '../../src/catalog/catalog.js';
import { knownBadArchives } from '../../src/operations/known-damage.js';
import { planPrune, pruneBackups, type PruneRequest } from '../../src/operations/prune-backups.js';
import { removeBackup } from '../../src/operations/remove-backup.js';
import { acquireLock } from '../../src/fs/lock.js';
import type { RetentionPolicy } from '../../src/policy/retention-policy.js';
import { create, deps, directory, failure, instance, stored, type Instance } from '../helpers/instance.js';

const day = 24 * 60 * 60 * 1000;
const begin = Date.UTC(2026, 0, 1, 3, 30);
const clockAt = (time: number): Clock => ({ ...systemClock, now: () => time });

/** `count` backups of a schedule, one a day at 03:30. */
async function daily(count: number, origin = 'daily', to?: Instance): Promise<Instance> {
  const made = to ?? (await instance({ uploads: { a: 'a' } }, [directory('uploads')]));
  for (let n = 0; n < count; n += 1) await create(made, { origin }, { clock: clockAt(begin + n * day) });
  return made;
}

const idOf = (n: number, origin = 'daily'): string => `2026010${n + 1}T033000Z-${origin}`;

function request(from: Instance, policy: RetentionPolicy, more: Partial<PruneRequest> = {}): PruneRequest {
  return {
    storage: from.storage,
    instance: 'app',
    root: from.root,
    retentions: new Map([['daily', { policy, timezone: 'UTC' }]]),
    schedule: undefined,
    automatic: false,
    knownBad: new Set(),
    ...more,
  };
}

const now = { clock: clockAt(begin + 20 * day) };
const removedOf = (result: Awaited<ReturnType<typeof planPrune>>): readonly string[] =>
  result.decisions.filter(({ keep }) => !keep).map(({ backup }) => backup.id);

describe('pruning', () => {
  it('removes what retention does not keep, with what lies beside it, and nothing else', async () => {
    const made = await daily(4);
    await daily(1, 'manual', made);
    writeFileSync(join(made.storage.folder, 'notes.txt'), 'mine');
    writeFileSync(join(made.storage.folder, '20200101T000000Z-daily.zip.sha256'), 'left by a killed run');
    const result = await pruneBackups(request(made, { keepLast: 2 }), 0, deps(now));
    expect(removedOf(result)).toEqual([idOf(1), idOf(0)]);
    expect(stored(made)).toEqual([
      ...[idOf(0, 'manual'), idOf(2), idOf(3)].flatMap((id) => [`${id}.zip`, `${id}.zip.sha256`]),
      'notes.txt',
    ]);
    expect(removedOf(await pruneBackups(request(made, { keepLast: 2 }), 0, deps(now)))).toEqual([]);
  });

  it('only plans where it is asked for a plan', async () => {
    const made = await daily(3);
    const before = stored(made);
    expect(removedOf(await planPrune(request(made, { keepLast: 1 }), deps(now)))).toHaveLength(2);
    expect(stored(made)).toEqual(before);
  });

  it('keeps locked ones, copies under a name of their own, and what a verification found damaged', async () => {
    const made = await daily(5);
    const { folder } = made.storage;
    writeFileSync(join(folder, `${idOf(0)}.zip.locked`), '');
    copyFileSync(join(folder, `${idOf(1)}.zip`), join(folder, 'before-the-migration.zip'));
    const knownBad = new Set([`${idOf(4)}.zip`]);
    const result = await pruneBackups(request(made, { keepLast: 1 }, { knownBad }), 0, deps(now));
    expect(removedOf(result)).toEqual([idOf(2), idOf(1)]);
    const why = (name: string): readonly string[] | undefined =>
      result.decisions.find(({ backup }) => backup.name === name)?.reasons;
    expect(why('before-the-migration.zip')).toEqual(['its file has another name than its id']);
    expect(why(`${idOf(0)}.zip`)).toEqual(['locked']);
    // The newest one is damaged: the one before it is the newest that is good.
    expect(why(`${idOf(3)}.zip`)).toEqual(['last 1 of 1']);
  });

  it('removes two at most where nobody watches, the oldest, and says how many are left', async () => {
    const made = await daily(6);
    const result = await pruneBackups(request(made, { keepLast: 1 }, { automatic: true }), 0, deps(now));
    expect(removedOf(result)).toEqual([idOf(1), idOf(0)]);
    expect(result.left).toBe(3);
  });

  it('touches the backups of one schedule alone where one is named', async () => {
    const made = await daily(3);
    await daily(3, 'hourly', made);
    const rule = { policy: { keepLast: 1 }, timezone: 'UTC' };
    const retentions = new Map([
      ['daily', rule],
      ['hourly', rule],
    ]);
    const result = await pruneBackups(request(made, {}, { retentions, schedule: 'hourly' }), 0, deps(now));
    expect(removedOf(result)).toEqual([idOf(1, 'hourly'), idOf(0, 'hourly')]);
    expect(result.decisions).toHaveLength(3);
  });

  it('refuses while another run holds the lock', async () => {
    const made = await daily(2);
    const path = join(made.storage.folder, '.bkp.lock');
    const lock = await acquireLock(path, { holder: 'test', wait: 0, clock: systemClock });
    const refused = await failure(pruneBackups(request(made, { keepLast: 1 }), 0, deps(now)));
    lock.release();
    expect(refused).toMatchObject({ id: 'lock-held', exitCode: 11 });
    expect(stored(made).filter((name) => name.endsWith('.zip'))).toHaveLength(2);
  });

  it('is a run that the catalogue remembers, and the catalogue tells what is known to be damaged', async () => {
    const made = await daily(3);
    const catalog = await openCatalog(made.storage.folder, systemClock);
    catalog.recordVerification({ archive: `${idOf(2)}.zip`, sha256: undefined, at: begin, verdict: 'damaged' });
    catalog.recordVerification({ archive: `${idOf(0)}.zip`, sha256: undefined, at: begin, verdict: 'intact' });
    expect(knownBadArchives(catalog)).toEqual(new Set([`${idOf(2)}.zip`]));
    const knownBad = knownBadArchives(catalog);
    await pruneBackups(request(made, { keepLast: 1 }, { knownBad }), 0, deps(now), catalog);
    const run = catalog.run('latest');
    expect(run).toMatchObject({ run: { kind: 'prune', state: 'done' }, steps: [{ id: 'backup-removed' }] });
    expect(catalog.verifications()).toMatchObject([{ archive: `${idOf(2)}.zip` }]);
    catalog.close();
  });

  it('leaves a backup that cannot be removed in the catalogue, with what a verification said of it', async () => {
    const made = await daily(1);
    const catalog = await openCatalog(made.storage.folder, systemClock);
    catalog.beginRun({ kind: 'create', instance: 'app' }).end({ exitCode: 0, backup: idOf(0) });
    const { name, id } = { name: `${idOf(0)}.zip`, id: idOf(0) };
    const verification = { archive: name, sha256: 'a'.repeat(64), at: begin, verdict: 'damaged' };
    catalog.recordVerification(verification);
    rmSync(join(made.storage.folder, name));
    mkdirSync(join(made.storage.folder, name));
    await failure(removeBackup(made.storage, { id, name }, catalog));
    expect(catalog.made('app')).toEqual([id]);
    expect(catalog.verifications()).toEqual([verification]);
    expect(knownBadArchives(catalog)).toEqual(new Set([name]));
    rmdirSync(join(made.storage.folder, name));
    await removeBackup(made.storage, { id, name }, catalog);
    expect(catalog.made('app')).toEqual([]);
    expect(catalog.verifications()).toEqual([]);
    catalog.close();
  });
});
