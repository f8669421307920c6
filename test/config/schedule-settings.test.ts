import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse.js';
import { failureOf, load, writeSite } from './sites.js';

function faultsOf(raw: unknown): Record<string, string> {
  const parsed = parseConfig(raw);
  return parsed.ok ? {} : Object.fromEntries(parsed.faults.map(({ at, says }) => [at, says]));
}

describe('copies', () => {
  it('are folders, relative to the file', async () => {
    const site = await writeSite({ 'conf/.backuprc': 'root: ..\ncopies: [../copies, /mnt/nas/site]', 'var/x': '' });
    const flags = { config: join(site, 'conf/.backuprc') };
    expect((await load(site, flags)).copies).toEqual([join(site, 'copies'), '/mnt/nas/site']);
    expect((await load(await writeSite({ '.backuprc': '{}' }))).copies).toEqual([]);
  });

  it('lie neither in the storage nor in what is backed up, and once each', async () => {
    const site = await writeSite({
      '.backuprc': 'copies: [var/backups, var/backups/x, var/uploads/copies, other, ./other, var/uploads2]',
      'var/system.brain': '',
      'var/uploads/a': '',
    });
    const { message } = await failureOf(load(site));
    expect(message.split('\n').slice(1)).toEqual([
      expect.stringContaining(`copies[0] must lie elsewhere than the storage ${join(site, 'var/backups')}`),
      expect.stringContaining('copies[1] must lie elsewhere than the storage'),
      expect.stringContaining(
        `copies[2] must not lie in what is backed up, but ${join(site, 'var/uploads/copies')} lies in source "uploads"`,
      ),
      expect.stringContaining(`copies[4] is there twice: ${join(site, 'other')}`),
    ]);
  });

  it('are refused where they are none', () => {
    expect(faultsOf({ copies: '/mnt/nas' })['copies']).toMatch(/^must be a list of folders, not "\/mnt\/nas"/);
    expect(faultsOf({ copies: ['~/nas', ''] })).toMatchObject({
      'copies[0]': expect.stringContaining('must be written out') as string,
      'copies[1]': 'must be a path, not an empty text',
    });
  });
});

describe('retention', () => {
  it('says how many are kept', async () => {
    const text =
      'retention: { keepLast: 1, keepHourly: 24, keepDaily: 7, keepWeekly: 4, keepMonthly: 12, keepYearly: 9999 }';
    expect((await load(await writeSite({ '.backuprc': text }))).retention).toEqual({
      keepLast: 1,
      keepHourly: 24,
      keepDaily: 7,
      keepWeekly: 4,
      keepMonthly: 12,
      keepYearly: 9999,
    });
    expect((await load(await writeSite({ '.backuprc': '{}' }))).retention).toBeUndefined();
  });

  it('refuses what is no count', () => {
    const counts = { keepLast: 0, keepHourly: -1, keepDaily: 1.5, keepWeekly: '7', keepMonthly: 10_000, keepMonthy: 1 };
    const faults = faultsOf({ retention: counts });
    for (const key of ['keepLast', 'keepHourly', 'keepDaily', 'keepWeekly', 'keepMonthly'])
      expect(faults[`retention.${key}`]).toMatch(/^must be a whole number from 1 to 9999, not /);
    expect(faults['retention.keepMonthy']).toBe('is not a known key: did you mean "keepMonthly"?');
    expect(faultsOf({ retention: 7 })['retention']).toMatch(
      /^must be a map of keys \(such as keepLast and keepDaily\)/,
    );
  });
});

describe('notify', () => {
  it('is a URL and how long it may take', async () => {
    const url = 'https://hc-ping.com/5f2c?create=1';
    const notify = async (text: string) => (await load(await writeSite({ '.backuprc': text }))).notify;
    expect(await notify(`notify: { url: "${url}" }`)).toEqual({ url, timeout: 10_000 });
    expect(await notify(`notify: { url: "http://me:secret@hc.example", timeout: 3s }`)).toMatchObject({
      timeout: 3000,
    });
    expect(await notify('{}')).toBeUndefined();
  });

  it('refuses what is no URL, and never shows it: it may hold a secret', () => {
    for (const url of ['secret', 'ftp://secret', 'file:///secret', ''])
      expect(faultsOf({ notify: { url } })).toEqual({ 'notify.url': 'must be a http or https URL, and is none' });
    expect(faultsOf({ notify: { url: 5 } })).toEqual({ 'notify.url': 'must be a URL, not 5' });
    expect(faultsOf({ notify: { timeout: 0 } })).toEqual({
      'notify.url': 'must be given',
      'notify.timeout': 'must be longer than nothing, not 0',
    });
    expect(faultsOf({ notify: 'https://secret' })['notify']).toMatch(/^must be a map of keys \(such as url\)/);
  });
});
