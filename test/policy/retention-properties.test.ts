import fc from 'fast-check';
import { expect, it } from 'vitest';
import { automaticLimit, limitAutomatic } from '../../src/policy/automatic-retention.js';
import { clockTolerance } from '../../src/policy/future.js';
import { incompleteKept, type RetainedBackup } from '../../src/policy/retention.js';
import { keepRuleNames, type RetentionPolicy } from '../../src/policy/retention-policy.js';
import { backup, decide, keptOf } from './backups.js';

const minute = 60_000;
const now = Date.UTC(2024, 10, 22, 12);
const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Kiritimati', 'Australia/Lord_Howe');

/** Close together, days apart and years apart; some in the future. */
const time = fc
  .oneof(
    fc.integer({ min: -60, max: 600 }),
    fc.integer({ min: -2000, max: 100_000 }),
    fc.integer({ min: -100_000, max: 3_000_000 }),
  )
  .map((minutesAgo) => now - minutesAgo * minute);

/** At least one rule, as every schedule has. */
const policy: fc.Arbitrary<RetentionPolicy> = fc
  .dictionary(fc.constantFrom(...keepRuleNames), fc.integer({ min: 1, max: 9 }), { minKeys: 1, maxKeys: 6 })
  .map((rules) => ({ ...rules }));

const good = time.map((when) => backup(when));

/** Whatever a schedule's complete backups must not be touched by. */
const other: fc.Arbitrary<RetainedBackup> = fc.oneof(
  fc
    .tuple(time, fc.constantFrom('manual', 'safety', 'weekly', undefined))
    .map(([at, origin]) => backup(at, { origin })),
  fc
    .tuple(time, fc.constantFrom('incomplete' as const, 'unproven' as const, 'damaged' as const, 'unknown' as const))
    .map(([at, status]) => backup(at, { status })),
  time.map((at) => backup(at, { locked: true })),
  time.map((at) => backup(at, { knownBad: true })),
  time.map((at) => backup(at, { foreign: true, instance: 'other' })),
  time.map((at) => backup(at, { instance: undefined })),
  time.map((at) => backup(Math.max(at, now + clockTolerance + 1000))),
);

const several = fc.array(fc.oneof({ weight: 3, arbitrary: good }, other), { maxLength: 40 });
const runs = { numRuns: 400 };

const byTime = (a: number, b: number): number => a - b;

const isCounted = (each: RetainedBackup): boolean =>
  each.origin === 'daily' &&
  each.instance !== undefined &&
  !each.foreign &&
  !each.locked &&
  each.knownBad !== true &&
  each.time <= now + clockTolerance;
const isGood = (each: RetainedBackup): boolean => isCounted(each) && each.status === 'ok';
const removedOf = (
  backups: readonly RetainedBackup[],
  rules: RetentionPolicy,
  where: string,
): readonly RetainedBackup[] =>
  decide(backups, rules, now, where).flatMap(({ backup: each, keep }) => (keep ? [] : [each]));

it('answers for every backup, in order, with a reason just where it stays', () => {
  fc.assert(
    fc.property(several, policy, zone, (backups, rules, where) => {
      const decisions = decide(backups, rules, now, where);
      expect(decisions.map((decision) => decision.backup)).toEqual(backups);
      for (const { keep, reasons } of decisions) expect(reasons.length > 0).toBe(keep);
    }),
    runs,
  );
});

it('always keeps the newest good backup', () => {
  fc.assert(
    fc.property(several, policy, zone, (backups, rules, where) => {
      const newest = Math.max(...backups.filter(isGood).map((each) => each.time));
      const kept = keptOf(decide(backups, rules, now, where)).filter(isGood);
      expect(Math.max(...kept.map((each) => each.time))).toBe(newest);
    }),
    runs,
  );
});

it('removes only counted backups that are complete or incomplete, and two incomplete ones stay', () => {
  fc.assert(
    fc.property(several, policy, zone, (backups, rules, where) => {
      const removed = removedOf(backups, rules, where);
      for (const each of removed) {
        expect(isCounted(each)).toBe(true);
        expect(['ok', 'incomplete']).toContain(each.status);
      }
      const isIncomplete = (each: RetainedBackup): boolean => isCounted(each) && each.status === 'incomplete';
      const ids = new Set(backups.filter(isIncomplete).map(({ id }) => id));
      const gone = new Set(removed.filter(isIncomplete).map(({ id }) => id));
      expect(ids.size - gone.size).toBe(Math.min(ids.size, incompleteKept));
    }),
    runs,
  );
});

it('removes the same good ones whatever else is there', () => {
  fc.assert(
    fc.property(fc.array(good, { maxLength: 30 }), fc.array(other, { maxLength: 20 }), policy, zone, (...given) => {
      const [backups, others, rules, where] = given;
      const mixed = [...backups, ...others].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
      const removed = removedOf(mixed, rules, where).filter(isGood);
      expect(new Set(removed)).toEqual(new Set(removedOf(backups, rules, where)));
    }),
    runs,
  );
});

it('removes nothing more when it is asked again', () => {
  fc.assert(
    fc.property(several, policy, zone, (backups, rules, where) => {
      const left = keptOf(decide(backups, rules, now, where));
      expect(removedOf(left, rules, where)).toEqual([]);
    }),
    runs,
  );
});

it('keeps as many of the newest as keepLast says and, with it alone, no others', () => {
  fc.assert(
    fc.property(several, fc.integer({ min: 1, max: 12 }), zone, (backups, keepLast, where) => {
      const ids = [...new Set(backups.filter(isGood).map(({ id }) => id))].sort().toReversed();
      const kept = keptOf(decide(backups, { keepLast }, now, where)).filter(isGood);
      expect(new Set(kept.map(({ id }) => id))).toEqual(new Set(ids.slice(0, keepLast)));
    }),
    runs,
  );
});

it('keeps no more than all rules together say, however many are added', () => {
  fc.assert(
    fc.property(several, fc.array(good, { minLength: 1 }), policy, zone, (backups, added, rules, where) => {
      const most = Object.values(rules).reduce((sum, count) => sum + count, 0);
      const kept = keptOf(decide([...backups, ...added], rules, now, where)).filter(isGood);
      expect(new Set(kept.map(({ id }) => id)).size).toBeLessThanOrEqual(most);
    }),
    runs,
  );
});

it('keeps with more rules, and with higher counts, all that it kept with fewer', () => {
  fc.assert(
    fc.property(several, policy, policy, zone, (backups, rules, more, where) => {
      const both = Object.fromEntries(
        keepRuleNames.flatMap((rule) => {
          const count = Math.max(rules[rule] ?? 0, more[rule] ?? 0);
          return count > 0 ? [[rule, count]] : [];
        }),
      );
      const kept = new Set(keptOf(decide(backups, both, now, where)));
      for (const each of keptOf(decide(backups, rules, now, where))) expect(kept).toContain(each);
    }),
    runs,
  );
});

it('does not depend on the order of the backups', () => {
  fc.assert(
    fc.property(several, policy, zone, fc.infiniteStream(fc.nat()), (backups, rules, where, dice) => {
      const order = new Map(backups.map((each) => [each, dice.next().value]));
      const shuffled = backups.toSorted((a, b) => order.get(a)! - order.get(b)!);
      const told = (all: readonly RetainedBackup[]): ReadonlyMap<RetainedBackup, readonly string[]> =>
        new Map(decide(all, rules, now, where).map((decision) => [decision.backup, decision.reasons]));
      expect(told(shuffled)).toEqual(told(backups));
    }),
    runs,
  );
});

it('removes, in a scheduled run, the oldest two at most of what may go', () => {
  fc.assert(
    fc.property(several, policy, zone, (backups, rules, where) => {
      const all = decide(backups, rules, now, where);
      const { decisions, left } = limitAutomatic(all);
      const removable = all.filter(({ keep }) => !keep).map(({ backup: each }) => each.time);
      const removed = decisions.filter(({ keep }) => !keep).map(({ backup: each }) => each.time);
      expect(removed.toSorted(byTime)).toEqual(removable.toSorted(byTime).slice(0, automaticLimit));
      expect(left).toBe(removable.length - removed.length);
      for (const { keep, reasons } of decisions) expect(reasons.length > 0).toBe(keep);
    }),
    runs,
  );
});
