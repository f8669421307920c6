import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../src/policy/decision.js';
import type { ListedBackup } from '../../src/operations/list-backups.js';
import { pruneView } from '../../src/ui/prune-view.js';

const now = Date.parse('2025-10-30T15:00:00Z');

function decision(id: string, reasons: readonly string[]): Decision<ListedBackup> {
  const backup: ListedBackup = {
    ...{ id, name: `${id}.zip`, file: `/srv/b/${id}.zip`, instance: 'site', foreign: false },
    ...{ time: now - 59 * 60_000, bytes: 1023 * 1024, container: 'zip', includes: [], project: undefined, scopes: [] },
    ...{ origin: 'daily', status: 'ok', locked: false, encrypted: false, losses: 0, comment: undefined },
    reason: undefined,
  };
  return { backup, keep: reasons.length > 0, reasons };
}

const decisions = [
  decision('20251030T120000Z-daily', ['last 1 of 7', 'daily 1 of 7', 'weekly 1 of 4']),
  decision('20251029T120000Z-daily', []),
  decision('20251028T120000Z-manual', ['made by hand: only `bkp delete` removes it']),
];

function lines(look: { readonly terminal: boolean; readonly width: number }, quiet = false): readonly string[] {
  const result = { decisions, left: 0 };
  const view = pruneView({ result, dryRun: true, storage: '/srv/b', now }, { exitCode: 0, durationMs: 1 });
  return [...view.text({ ...look, chalk: new Chalk({ level: 0 }), verbose: 0, quiet })];
}

describe('what is pruned, and why', () => {
  it('is told with every reason where there is room, and where it is no terminal', () => {
    const table = [
      'ID                       AGE                 SIZE          WHY',
      '20251030T120000Z-daily   59 minutes ago  1023 KiB  keep    last 1 of 7, daily 1 of 7, weekly 1 of 4',
      '20251029T120000Z-daily   59 minutes ago  1023 KiB  remove',
      '20251028T120000Z-manual  59 minutes ago  1023 KiB  keep    made by hand: only `bkp delete` removes it',
    ];
    expect(lines({ terminal: true, width: 110 }).slice(0, 4)).toEqual(table);
    expect(lines({ terminal: false, width: 80 }).slice(0, 4)).toEqual(table);
    expect(lines({ terminal: false, width: 80 })).toHaveLength(5);
  });

  it('keeps age and size at 80 columns, breaks reasons, and says once what is behind a short one', () => {
    expect(lines({ terminal: true, width: 80 })).toEqual([
      'ID                       AGE         SIZE          WHY',
      '20251030T120000Z-daily   59 min  1023 KiB  keep    last 1 of 7, daily 1 of 7,',
      '                                                   weekly 1 of 4',
      '20251029T120000Z-daily   59 min  1023 KiB  remove',
      '20251028T120000Z-manual  59 min  1023 KiB  keep    made by hand',
      'made by hand: only `bkp delete` removes it',
      '2 backups kept, 1 backup (1023 KiB) would be removed.',
    ]);
    expect(lines({ terminal: true, width: 80 }, true)).toHaveLength(5);
  });

  it('has reasons below on a narrow terminal', () => {
    expect(lines({ terminal: true, width: 50 }).slice(0, 3)).toEqual([
      'ID                       AGE         SIZE', //
      '20251030T120000Z-daily   59 min  1023 KiB  keep',
      '    last 1 of 7, daily 1 of 7, weekly 1 of 4',
    ]);
    for (const line of lines({ terminal: true, width: 40 })) expect(line.length).toBeLessThanOrEqual(40);
  });
});
