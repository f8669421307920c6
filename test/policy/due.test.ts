import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideDue, retryPauses, type DueDecision } from '../../src/policy/due.js';
import type { ScheduleRun } from '../../src/policy/run-history.js';
import type { Schedule } from '../../src/policy/schedule.js';
import { latestSlot } from '../../src/policy/slots.js';
import { utc } from './golden.js';
import { schedule } from './schedules.js';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const at = (time: string): number => utc(`2024-11-22T${time}:00Z`);
const run = (start: number, outcome: ScheduleRun['outcome'] = 'complete'): ScheduleRun => ({ start, outcome });
/** 03:30 in Berlin, in winter. */
const slot = at('02:30');

/** `due 1`, `filled`, `waiting until …` */
function text(decision: DueDecision): string {
  if (decision.due) return `due ${decision.attempt}`;
  const next = decision.next === undefined ? '' : ` until ${new Date(decision.next).toISOString().slice(11, 16)}`;
  return `${decision.why}${next}`;
}

const decided = (now: number, runs: readonly ScheduleRun[], fields: Partial<Schedule> = {}): string =>
  text(decideDue(schedule(fields), runs, now));

describe('a schedule is due', () => {
  it('from its slot on, until a run fills it', () => {
    const yesterday = run(slot - day);
    expect(decided(slot - 1, [yesterday])).toBe('filled until 02:30');
    expect(decided(slot, [yesterday])).toBe('due 1');
    expect(decided(slot + 7 * hour, [yesterday])).toBe('due 1');
    expect(decided(slot + 10 * minute, [yesterday, run(slot)])).toBe('filled until 02:30');
  });

  it('once, however many slots were missed', () => {
    const monthAgo = run(slot - 30 * day);
    const decision = decideDue(schedule(), [monthAgo], at('17:00'));
    expect(decision).toMatchObject({ due: true, slot, attempt: 1 });
    expect(decided(at('17:10'), [monthAgo, run(at('17:00'))])).toBe('filled until 02:30');
  });

  it('not where a run that began before the slot ended after it', () => {
    expect(decided(slot + minute, [run(slot - minute)])).toBe('due 1');
  });

  it('not for a slot before it was made or edited', () => {
    expect(decided(at('12:00'), [], { createdAt: slot + 1 })).toBe('new until 02:30');
    expect(decided(at('12:00'), [], { updatedAt: slot + 1 })).toBe('new until 02:30');
    expect(decided(at('12:00'), [], { createdAt: slot, updatedAt: slot })).toBe('due 1');
  });

  it('not while it is disabled', () => {
    expect(decided(slot, [], { enabled: false })).toBe('disabled');
  });

  it('not again after an incomplete run', () => {
    expect(decided(slot + hour, [run(slot, 'incomplete')])).toBe('filled until 02:30');
  });
});

describe('a failed slot', () => {
  it('is tried again after 10 minutes, half an hour and two hours, and then given up', () => {
    expect(retryPauses.map((pause) => pause / minute)).toEqual([10, 30, 120]);
    const told: string[] = [];
    const failed: ScheduleRun[] = [];
    for (let now = slot; now < slot + day; now += 10 * minute) {
      const decision = decideDue(schedule(), failed, now);
      if (!decision.due) continue;
      told.push(`${new Date(now).toISOString().slice(11, 16)} attempt ${decision.attempt}`);
      failed.push(run(now, 'failed'));
    }
    expect(told).toEqual(['02:30 attempt 1', '02:40 attempt 2', '03:10 attempt 3', '05:10 attempt 4']);
    expect(decided(slot + 20 * hour, failed)).toBe('given-up until 02:30');
    expect(decided(slot + day, failed)).toBe('due 1');
  });

  it('waits until then, or until the next slot where that is sooner', () => {
    const hourly: Partial<Schedule> = { frequency: 'hourly' };
    const failures = [run(slot, 'failed'), run(slot + 10 * minute, 'failed'), run(slot + 40 * minute, 'failed')];
    expect(decided(slot + 5 * minute, failures.slice(0, 1), hourly)).toBe('waiting until 02:40');
    expect(decided(slot + 41 * minute, failures, hourly)).toBe('waiting until 03:30');
    expect(decided(slot + hour, failures, hourly)).toBe('due 1');
  });

  it('is filled by a run that is made by hand in its name', () => {
    expect(decided(at('09:00'), [run(slot, 'failed'), run(at('08:00'))])).toBe('filled until 02:30');
  });
});

describe('a wrong clock', () => {
  it('set back leaves runs in the future, which count for nothing and are named', () => {
    const future = run(slot + 400 * day);
    const decision = decideDue(schedule(), [future, run(slot - day)], slot);
    expect(decision).toEqual({ due: true, slot, attempt: 1, ahead: [future] });
    const after = decideDue(schedule(), [future, run(slot)], slot + 10 * minute);
    expect(after).toMatchObject({ due: false, why: 'filled', ahead: [future] });
  });

  it('does not let a definition that is dated in the future wait until then', () => {
    const later = slot + 400 * day;
    expect(decided(slot, [], { createdAt: later, updatedAt: later })).toBe('due 1');
    expect(decided(slot + hour, [], { createdAt: slot + 1, updatedAt: later })).toBe('new until 02:30');
  });

  it('of some minutes between two machines changes nothing', () => {
    expect(decided(slot + minute, [run(slot + 5 * minute)])).toBe('filled until 02:30');
  });

  it('that begins in 1970 at every start makes one backup there, not one at every look', () => {
    const real = [run(slot), run(slot - day)];
    expect(decided(5 * minute, real)).toBe('new until 02:30');
    expect(decided(3 * hour, real)).toBe('due 1');
    expect(decided(4 * hour, [...real, run(3 * hour)])).toBe('filled until 02:30');
  });
});

/** `schedule run` is called every ten minutes; what it starts succeeds, or fails as the coin falls. */
function live(which: Schedule, from: number, steps: number, fails: (step: number) => boolean): readonly ScheduleRun[] {
  const runs: ScheduleRun[] = [];
  for (let step = 0; step < steps; step++) {
    const now = from + step * 10 * minute;
    if (decideDue(which, runs, now).due) runs.push(run(now, fails(step) ? 'failed' : 'complete'));
  }
  return runs;
}

describe('looked at every ten minutes', () => {
  const frequency = fc.constantFrom('hourly' as const, 'daily' as const, 'weekly' as const);
  const from = fc.integer({ min: utc('2024-02-01T00:00:00Z'), max: utc('2025-02-01T00:00:00Z') });

  it('a schedule has one good run in each slot but the first', () => {
    fc.assert(
      fc.property(frequency, from, (often, start) => {
        const which = schedule({ frequency: often, updatedAt: start });
        const runs = live(which, start, 6 * 24 * 15, () => false);
        const slots = runs.map((each) => latestSlot(which, each.start));
        expect(new Set(slots).size).toBe(runs.length);
        for (const [index, each] of runs.entries()) expect(each.start - slots[index]!).toBeLessThan(10 * minute);
        const expected = { hourly: 15 * 24, daily: 15, weekly: 2 }[often];
        expect(Math.abs(runs.length - expected)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 15 },
    );
  });

  it('a schedule that fails is tried four times in a slot at most, and not after a good run', () => {
    fc.assert(
      fc.property(frequency, from, fc.infiniteStream(fc.boolean()), (often, start, coin) => {
        const which = schedule({ frequency: often });
        const runs = live(which, start, 6 * 24 * 5, () => coin.next().value === true);
        const slots = new Map<number, ScheduleRun[]>();
        for (const each of runs) {
          const filled = latestSlot(which, each.start);
          slots.set(filled, [...(slots.get(filled) ?? []), each]);
        }
        for (const tried of slots.values()) {
          expect(tried.length).toBeLessThanOrEqual(retryPauses.length + 1);
          for (const { outcome } of tried.slice(0, -1)) expect(outcome).toBe('failed');
        }
      }),
      { numRuns: 15 },
    );
  });
});
