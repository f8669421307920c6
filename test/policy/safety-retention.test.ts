import { expect, it } from 'vitest';
import { decideSafetyRetention, safetyDays } from '../../src/policy/safety-retention.js';

const day = 24 * 60 * 60 * 1000;
const now = Date.UTC(2026, 10, 22);

const backup = (daysAgo: number, locked = false): { id: string; time: number; locked: boolean } => {
  return { id: `${daysAgo} days ago`, time: now - daysAgo * day, locked };
};

const kept = (backups: readonly ReturnType<typeof backup>[]): readonly string[] =>
  decideSafetyRetention(backups, now)
    .filter(({ keep }) => keep)
    .map(({ backup: { id } }) => id);

it('removes safety backups of thirty days and more', () => {
  expect(kept([backup(1), backup(safetyDays - 1), backup(safetyDays), backup(400)])).toEqual([
    '1 days ago',
    '29 days ago',
  ]);
});

it('keeps the newest one however old it is, and locked ones', () => {
  expect(kept([backup(50), backup(60), backup(70, true)])).toEqual(['50 days ago', '70 days ago']);
});

it('keeps one that is dated in the future, and what is older is judged by the clock', () => {
  expect(kept([backup(-3), backup(40)])).toEqual(['-3 days ago']);
});

it('gives a reason for each that is kept, and none for the others', () => {
  for (const { keep, reasons } of decideSafetyRetention([backup(1), backup(31), backup(99, true)], now)) {
    expect(reasons.length > 0).toBe(keep);
  }
  expect(decideSafetyRetention([], now)).toEqual([]);
});
