import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import type { ListedBackup } from '../../src/operations/list-backups.js';
import type { RememberedBackup } from '../../src/operations/remembered-backups.js';
import { localTime } from '../../src/base/clock.js';
import { listView, type BackupList } from '../../src/ui/list-view.js';

const now = Date.parse('2025-10-30T15:00:00Z');
const backup: ListedBackup = {
  id: '20251030T120000Z-manual',
  name: '20251030T120000Z-manual.tar.gz',
  file: '/srv/site/var/backups/20251030T120000Z-manual.tar.gz',
  instance: 'site',
  foreign: false,
  time: Date.parse('2025-10-30T12:00:00Z'),
  bytes: 1023 * 1024 * 1024,
  container: 'tar.gz',
  includes: ['system.brain', 'user.brain', 'uploads'],
  project: undefined,
  scopes: ['databases', 'snapshots', 'uploads'],
  origin: 'manual',
  status: 'ok',
  locked: false,
  encrypted: false,
  losses: 0,
  comment: undefined,
  reason: undefined,
};

const look = (width: number) => ({ chalk: new Chalk({ level: 0 }), terminal: true, width, verbose: 0, quiet: false });
const end = { exitCode: 0, durationMs: 1 };

const sources = ['system.brain', 'uploads'];

function lines(shown: BackupList['shown'], width: number, more: Partial<BackupList> = {}): readonly string[] {
  const rest = { all: [], withForeign: true, storage: '/srv/b', instance: 'site', now, again: 'bkp', sources };
  return [...listView({ shown, ...rest, ...more }, end).text(look(width))];
}

const failed: RememberedBackup = {
  ...{ ...backup, id: undefined, file: undefined, container: undefined, bytes: 0, scopes: [], includes: [] },
  ...{ status: 'failed', run: 7, reason: 'it was killed' },
};

describe('the list of backups', () => {
  it('shows more where there is room', () => {
    process.env['TZ'] = 'Europe/Berlin';
    expect(lines([backup], 140).slice(0, 2)).toEqual([
      'ID                       WHEN                    AGE              SIZE  FORMAT  SCOPES                       FROM    STATUS  INSTANCE',
      `20251030T120000Z-manual  ${localTime(backup.time)}  3 hours ago  1023 MiB  tar.gz  databases,snapshots,uploads  manual  ok      site`,
    ]);
  });

  it('fits 80 columns with the widest of everything, and never cuts an id', () => {
    const worst: ListedBackup = {
      ...{ ...backup, time: now - 59 * 60_000, status: 'incomplete', losses: 3, locked: true, encrypted: true },
      ...{ instance: 'an instance with a very long name', foreign: true },
    };
    const long = { ...worst, id: `20251030T120000Z-${'x'.repeat(32)}` };
    for (const one of [worst, long]) {
      for (const line of lines([one], 80).slice(0, 2)) expect(line.length).toBeLessThanOrEqual(80);
      expect(lines([one], 80)[1]).toContain(one.id);
      // As a word of its own, or of the legend.
      expect(lines([one], 80).join('\n')).toMatch(/\bincomplete\b/);
    }
  });

  it('keeps age, size, status, scopes and flags at 80 columns where all of them are as wide as they get', () => {
    const worst: ListedBackup = {
      ...{ ...backup, time: now - 59 * 60_000, status: 'incomplete', losses: 3, locked: true, encrypted: true },
      ...{ scopes: ['databases', 'uploads'], includes: ['user.brain', 'uploads'] },
    };
    expect(lines([worst, backup], 80, { withForeign: false }).slice(0, 4)).toEqual([
      'ID                       AGE         SIZE  SCOPES             STATUS      FLAGS',
      '20251030T120000Z-manual  59 min  1023 MiB  databases,uploads  incomplete  LE',
      '20251030T120000Z-manual  3 h     1023 MiB  all                ok',
      'L = locked, E = encrypted',
    ]);
    expect(lines([backup], 80).join('\n')).not.toContain(' = ');
    expect(lines([worst], 110, { withForeign: false })[1]).toContain('incomplete  locked,encrypted');
  });

  it('says the status in a short word before it leaves out age or size', () => {
    const part: ListedBackup = { ...backup, status: 'incomplete', losses: 1 };
    expect(lines([part, backup], 50, { withForeign: false }).slice(0, 4)).toEqual([
      'ID                       AGE      SIZE  STATUS',
      '20251030T120000Z-manual  3 h  1023 MiB  part',
      '20251030T120000Z-manual  3 h  1023 MiB  ok',
      'part = incomplete',
    ]);
    for (const line of lines([part, backup], 50)) expect(line.length).toBeLessThanOrEqual(50);
  });

  it('keeps age and size at 80 columns, and says in a word that a backup holds all there is', () => {
    const other = { ...backup, id: '20251030T110000Z-daily', scopes: ['databases'], includes: ['system.brain'] };
    const [titles, whole, part] = lines([backup, other], 80, { withForeign: false });
    expect(titles).toBe('ID                       AGE              SIZE  FORMAT  SCOPES     STATUS');
    expect(whole).toBe('20251030T120000Z-manual  3 hours ago  1023 MiB  tar.gz  all        ok');
    expect(part).toBe('20251030T110000Z-daily   3 hours ago  1023 MiB  tar.gz  databases  ok');
    const foreign = { ...backup, foreign: true };
    const ofProject = { ...backup, project: 'one' };
    for (const one of [foreign, ofProject]) expect(lines([one], 80)[1]).not.toContain('all');
  });

  it('has comments beside the backups where there is room for all of them, else each on a line of its own', () => {
    const first = { ...backup, comment: 'before the update' };
    const long = { ...backup, id: '20251030T110000Z-daily', comment: `a\x1b[2J${'long '.repeat(20)}end` };
    expect(lines([first, backup], 160)[1]).toMatch(/ok +site +before the update$/);
    const [, row, comment, other, longer] = lines([first, long], 80);
    expect([row, comment]).toEqual([expect.stringMatching(/^2025\S+-manual .*ok/), '  before the update']);
    expect([other, longer]).toEqual([
      expect.stringMatching(/^2025\S+-daily /),
      expect.stringMatching(/^ {2}a\\x1b\[2Jlong .*…$/),
    ]);
    expect(longer).toHaveLength(80);
  });

  it('says what tells why a run failed, and why others are not whole', () => {
    const told = lines([failed, { ...backup, status: 'damaged', reason: 'cut' }], 80);
    expect(told).toContain('`bkp log 7` tells why run 7 failed');
    expect(told).toContain('`bkp list -v` tells what is damaged, and why');
    expect(lines([failed], 80).at(-1)).toBe('`bkp log 7` tells why run 7 failed');
    expect(lines([backup], 80).join('\n')).not.toMatch(/tells/);
  });

  it('does not say that the first backup is yet to be made', () => {
    expect(lines([], 80)).toEqual(['There are no backups in /srv/b. Make one: bkp create']);
  });

  it('escapes what an archive says of itself', () => {
    const hostile = { ...backup, id: 'a\x1b[2J', instance: 'b\nc', scopes: ['d\x07'] };
    const text = lines([hostile], 200).join('');
    expect(text).toContain('a\\x1b[2J');
    expect(text).toContain('b\\x0ac');
    expect(text).toContain('d\\x07');
  });
});
