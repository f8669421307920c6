import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { finding, findingInfo, hasDamage, hasLoss, ofKind, type FindingId } from '../../src/manifest/findings.js';

const ids = Object.keys(findingInfo) as FindingId[];

describe('findings', () => {
  it('get kind and place from their table, and nothing that is not known', () => {
    expect(finding('file-vanished', 'gone', { source: 'uploads', path: 'uploads/a' })).toEqual({
      id: 'file-vanished',
      kind: 'loss',
      source: 'uploads',
      path: 'uploads/a',
      message: 'gone',
    });
    expect(finding('truncated', 'cut')).toEqual({ id: 'truncated', kind: 'damage', message: 'cut' });
  });

  it('have stable ids of one form, and a title each', () => {
    for (const id of ids) {
      expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(findingInfo[id].title).not.toBe('');
    }
  });

  it('are documented with their kinds', () => {
    const page = readFileSync(new URL('../../docs/json-output.md', import.meta.url), 'utf8');
    const told = new Map(
      Array.from(page.matchAll(/^\| `([a-z0-9-]+)` +\| (note|loss|fault|damage) +\|/gm), (row) => [row[1], row[2]]),
    );
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(ids.map((id) => [id, findingInfo[id].kind])));
  });

  it('are losses where the archive lacks something it should hold', () => {
    for (const id of [
      'file-vanished',
      'file-changed',
      'file-unreadable',
      'name-not-utf8',
      'link-leaves-source',
      'source-missing',
      'database-damaged-raw',
    ] as const) {
      expect([id, findingInfo[id].kind]).toEqual([id, 'loss']);
    }
  });

  it('are faults where the archive lacks nothing and the run was not all done', () => {
    expect(findingInfo['copy-failed'].kind).toBe('fault');
    expect(hasLoss([finding('copy-failed', '')])).toBe(false);
    expect(hasDamage([finding('copy-failed', '')])).toBe(false);
  });

  it('are told apart by kind', () => {
    const [note, loss, damage] = [
      finding('special-file', ''),
      finding('file-changed', ''),
      finding('crc-mismatch', ''),
    ];
    expect([hasLoss([]), hasLoss([note, damage]), hasLoss([note, loss])]).toEqual([false, false, true]);
    expect([hasDamage([]), hasDamage([note, loss]), hasDamage([damage])]).toEqual([false, false, true]);
    expect(ofKind([note, loss, damage, note], 'note')).toEqual([note, note]);
  });
});
