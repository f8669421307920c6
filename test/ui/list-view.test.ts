import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import type { ListedBackup } from '../../src/operations/list-backups.js';
import { listView } from '../../src/ui/list-view.js';

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
  reason: undefined,
};

const look = (width: number) => ({ chalk: new Chalk({ level: 0 }), terminal: true, width, verbose: 0, quiet: false });
const end = { exitCode: 0, durationMs: 1 };

function lines(shown: readonly ListedBackup[], width: number): readonly string[] {
  const rest = { withForeign: true, storage: '/srv/b', instance: 'site', now, again: 'bkp' };
  return [...listView({ shown, all: shown, ...rest }, end).text(look(width))];
}

describe('the list of backups', () => {
  it('shows more where there is room', () => {
    expect(lines([backup], 140).slice(0, 2)).toEqual([
      'ID                       WHEN               AGE              SIZE  FORMAT  SCOPES                       FROM    STATUS  INSTANCE',
      '20251030T120000Z-manual  2025-10-30 12:00Z  3 hours ago  1023 MiB  tar.gz  databases,snapshots,uploads  manual  ok      site',
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
      expect(lines([one], 80)[1]).toContain('incomplete');
    }
  });

  it('escapes what an archive says of itself', () => {
    const hostile = { ...backup, id: 'a\x1b[2J', instance: 'b\nc', scopes: ['d\x07'] };
    const text = lines([hostile], 200).join('');
    expect(text).toContain('a\\x1b[2J');
    expect(text).toContain('b\\x0ac');
    expect(text).toContain('d\\x07');
  });
});
