import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock, type Clock } from '../../src/base/clock.js';
import { openCatalog, type Catalog } from '../../src/catalog/catalog.js';
import { listBackups } from '../../src/operations/list-backups.js';
import { knownBadArchives } from '../../src/operations/known-damage.js';
import { planPrune } from '../../src/operations/prune-backups.js';
import { reverify } from '../../src/operations/reverify.js';
import { create, deps, directory, instance, type Instance } from '../helpers/instance.js';

const day = 24 * 60 * 60 * 1000;
const begin = Date.UTC(2026, 0, 1, 3, 30);
const clockAt = (time: number): Clock => ({ ...systemClock, now: () => time });

/** Three backups of a schedule, one a day. */
async function threeDays(): Promise<Instance> {
  const made = await instance({ uploads: { a: 'a'.repeat(1000) } }, [directory('uploads')]);
  for (let n = 0; n < 3; n += 1) await create(made, { origin: 'daily' }, { clock: clockAt(begin + n * day) });
  return made;
}

const idOf = (n: number): string => `2026010${n + 1}T033000Z-daily`;
const fileOf = ({ storage }: Instance, n: number): string => join(storage.folder, `${idOf(n)}.zip`);

/** What is verified again so many days after the first; `budget`: milliseconds. */
async function after(days: number, of: Instance, catalog: Catalog | undefined, budget = 60_000) {
  const using = deps({ clock: clockAt(begin + days * day) });
  const backups = await listBackups(of.storage, 'app', using.signal);
  const request = { storage: of.storage, backups, catalog, instance: 'app', budget, passphrase: undefined };
  return (await reverify(request, using)).map(({ backup, verdict }) => `${backup.id} ${verdict}`);
}

async function catalogIn({ storage }: Instance): Promise<Catalog> {
  const catalog = await openCatalog(storage.folder, systemClock);
  onTestFinished(() => catalog.close());
  return catalog;
}

describe('verifying again', () => {
  it('takes what was proven more than 30 days ago, the oldest first, and each once', async () => {
    const of = await threeDays();
    const catalog = await catalogIn(of);
    expect(await after(30, of, catalog)).toEqual([]);
    expect(await after(30.5, of, catalog)).toEqual([`${idOf(0)} intact`]);
    expect(await after(31.5, of, catalog)).toEqual([`${idOf(1)} intact`]);
    expect(await after(31.5, of, catalog)).toEqual([]);
    expect(await after(33, of, catalog)).toEqual([`${idOf(2)} intact`]);
    expect(await after(62, of, catalog)).toEqual([`${idOf(0)} intact`, `${idOf(1)} intact`]);
  });

  it('takes nothing where history cannot tell what was proven', async () => {
    expect(await after(365, await threeDays(), undefined)).toEqual([]);
  });

  it('begins none where the time is over', async () => {
    const of = await threeDays();
    expect(await after(365, of, await catalogIn(of), -1)).toEqual([]);
  });

  it('remembers a damaged one, which retention then does not count as one that is kept', async () => {
    const of = await threeDays();
    const catalog = await catalogIn(of);
    const bytes = readFileSync(fileOf(of, 2));
    // Within the content of the first file: the directory of the archive is whole.
    bytes.writeUInt8(bytes.readUInt8(60) ^ 0xff, 60);
    writeFileSync(fileOf(of, 2), bytes);
    const verdicts = await after(40, of, catalog);
    expect(verdicts).toEqual([`${idOf(0)} intact`, `${idOf(1)} intact`, `${idOf(2)} damaged`]);
    const knownBad = knownBadArchives(catalog);
    expect(knownBad).toEqual(new Set([`${idOf(2)}.zip`]));
    const retentions = new Map([['daily', { policy: { keepLast: 1 }, timezone: 'UTC' }]]);
    const common = { storage: of.storage, instance: 'app', root: of.root, retentions, schedule: undefined };
    const plan = await planPrune({ ...common, automatic: false, knownBad }, deps({ clock: clockAt(begin + 40 * day) }));
    const good = plan.decisions.find(({ backup }) => backup.id === idOf(1));
    expect(good).toMatchObject({ keep: true, reasons: ['last 1 of 1'] });
    expect(catalog.run('latest')).toMatchObject({ run: { kind: 'verify', exitCode: 14, state: 'failed' } });
  });

  it('goes on with the others where one is not there any more', async () => {
    const of = await threeDays();
    const catalog = await catalogIn(of);
    const using = deps({ clock: clockAt(begin + 40 * day) });
    const backups = await listBackups(of.storage, 'app', using.signal);
    await of.storage.remove(`${idOf(0)}.zip`);
    const request = { storage: of.storage, backups, catalog, instance: 'app', budget: 60_000, passphrase: undefined };
    expect((await reverify(request, using)).map(({ backup }) => backup.id)).toEqual([idOf(1), idOf(2)]);
  });
});
