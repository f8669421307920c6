import { describe, expect, it } from 'vitest';
import { clockTolerance } from '../../src/policy/future.js';
import { decideRetention } from '../../src/policy/retention.js';
import { isKeepCount, type RetentionPolicy } from '../../src/policy/retention-policy.js';
import { backup, decide, keptOf, retentions } from './backups.js';

const day = 24 * 60 * 60 * 1000;
const now = Date.UTC(2024, 10, 22, 12);
const days = (...ago: readonly number[]): readonly ReturnType<typeof backup>[] =>
  ago.map((each) => backup(now - each * day));

describe('a policy', () => {
  it('that says nothing, or nothing that is a count, keeps everything', () => {
    const wrong = [0, -1, 1.5, NaN, Infinity, 10_000, '3', null] as unknown as readonly number[];
    const policies: RetentionPolicy[] = [{}, ...wrong.map((count) => ({ keepLast: count, keepYearly: count }))];
    for (const policy of policies) expect(keptOf(decide(days(1, 2, 3), policy, now))).toHaveLength(3);
  });

  it('counts from 1 to 9999', () => {
    expect([1, 9999].map(isKeepCount)).toEqual([true, true]);
    expect([0, 10_000, 1n, '1', undefined].map(isKeepCount)).toEqual([false, false, false, false, false]);
  });

  it('is kept to by each schedule for itself', () => {
    const weekly = [3, 10, 17].map((each) => backup(now - each * day, { origin: 'weekly' }));
    const both = new Map([
      ['daily', { policy: { keepLast: 1 }, timezone: null }],
      ['weekly', { policy: { keepLast: 2 }, timezone: null }],
    ]);
    const kept = keptOf(decideRetention([...days(1, 2), ...weekly], both, now));
    expect(kept).toEqual([...days(1), ...weekly.slice(0, 2)]);
  });

  it('of a schedule that cannot be read removes nothing', () => {
    const broken = new Map([['daily', undefined]]);
    for (const { reasons } of decideRetention(days(1, 2, 3), broken, now)) {
      expect(reasons).toEqual(['its schedule cannot be read']);
    }
  });

  it('cannot be given to backups made by hand or for safety', () => {
    const named = new Map(['manual', 'safety'].map((name) => [name, { policy: { keepLast: 1 }, timezone: null }]));
    const backups = [1, 2, 3].flatMap((each) =>
      ['manual', 'safety'].map((origin) => backup(now - each * day, { origin })),
    );
    expect(keptOf(decideRetention(backups, named, now))).toEqual(backups);
  });
});

it('takes a date within the tolerance of clocks as it is, and a later one as a wrong clock', () => {
  const edge = backup(now + clockTolerance);
  const beyond = backup(now + clockTolerance + 1000);
  const decisions = decide([beyond, edge, ...days(1)], { keepLast: 1 }, now);
  expect(decisions.map(({ reasons }) => reasons)).toEqual([['dated in the future'], ['last 1 of 1'], []]);
});

it('counts backups from before 1970 and up to the year 9999', () => {
  const years = [-62_167_219_200_000, -1000, 0, 1000].map((time) => backup(time));
  const kept = keptOf(decide(years, { keepYearly: 2 }, now, 'America/New_York'));
  expect(kept.map(({ time }) => time)).toEqual([-62_167_219_200_000, 1000]);
  const last = backup(Date.UTC(9999, 11, 31, 23, 59, 59));
  expect(decide([last], { keepYearly: 2 }, now).map(({ reasons }) => reasons)).toEqual([['dated in the future']]);
});

it('says all reasons that hold', () => {
  const odd = backup(now + day, { locked: true, knownBad: true, origin: 'gone' });
  expect(decideRetention([odd], retentions({ keepLast: 1 }), now)[0]!.reasons).toEqual([
    'its schedule is not there any more',
    'locked',
    'dated in the future',
    'damaged: look at it',
  ]);
});
