import { localTime } from '../base/clock.js';
import { isFuture } from './future.js';
import { problem, type HealthId, type HealthProblem } from './health-problem.js';
import type { RetainedBackup } from './retention.js';
import type { ScheduleHealth } from './schedule-health.js';
import type { ScheduleFault } from './schedule.js';

export interface HealthBackup extends RetainedBackup {
  readonly bytes: number;
  /** Sources that it holds whole: not one of which it holds a single project, or files that were asked for. */
  readonly includes: readonly string[];
}

/** What is known of an instance; undefined is what could not be found out. */
export interface HealthFacts {
  readonly schedules: readonly ScheduleHealth[];
  readonly invalidSchedules: readonly {
    readonly name: string | undefined;
    readonly faults: readonly ScheduleFault[];
  }[];
  /** Archives in the storage, of other instances too. */
  readonly backups: readonly HealthBackup[];
  /** Ids of own backups that the catalogue knows, that nobody deleted, and that are not there. */
  readonly missing: readonly string[];
  /** Names of the sources that are turned on. */
  readonly sources: readonly string[];
  /** Milliseconds. */
  readonly maxAge: number | undefined;
  readonly freeBytes: number | undefined;
  readonly sameDevice: boolean | undefined;
  readonly unfinishedRestore: boolean;
}

export interface Health {
  /** No fault: `status` ends with 0, else with 16. */
  readonly healthy: boolean;
  /** Id of the newest backup, where it lacks something. Older ones that do are no news. */
  readonly newestIncomplete: string | undefined;
  /** Faults first. */
  readonly problems: readonly HealthProblem[];
}

/** What is wrong with an instance's backups, and whether anybody must be called. */
export function decideHealth(facts: HealthFacts, now: number): Health {
  const own = facts.backups.filter(({ foreign, instance }) => !foreign && instance !== undefined);
  const good = own.filter((backup) => isGood(backup, now)).toSorted((a, b) => b.time - a.time);
  const newestIncomplete = newestIfIncomplete(own, now);
  const problems = [
    ...sourceProblems(facts, good, now),
    ...facts.schedules.flatMap(scheduleProblems),
    ...facts.invalidSchedules.map(({ name, faults }) =>
      problem('schedule-invalid', name ?? null, faults.map(({ at, says }) => `${at} ${says}`).join('; ')),
    ),
    ...backupProblems(facts, newestIncomplete, now),
    ...surroundings(facts, good[0]),
  ];
  const faults = problems.filter(({ level }) => level === 'fault');
  const notes = problems.filter(({ level }) => level === 'note');
  return { healthy: faults.length === 0, newestIncomplete, problems: [...faults, ...notes] };
}

/** Whatever else is there, an instance with such a backup can be put back. A safety backup holds what was given up. */
function isGood({ status, knownBad, origin, time }: HealthBackup, now: number): boolean {
  return status === 'ok' && knownBad !== true && origin !== 'safety' && !isFuture(time, now);
}

/** Not a safety backup: that one was made of what was given up. */
function newestIfIncomplete(own: readonly HealthBackup[], now: number): string | undefined {
  const made = own.filter(({ origin, time }) => origin !== 'safety' && !isFuture(time, now));
  const [newest] = made.toSorted((a, b) => b.time - a.time);
  return newest?.status === 'incomplete' && newest.knownBad !== true ? newest.id : undefined;
}

/**
 * The age of a backup counts for each source by itself: one that holds the databases alone says nothing of the uploads.
 * Sources with the same newest backup are told of together.
 */
function sourceProblems(
  { sources, maxAge }: HealthFacts,
  good: readonly HealthBackup[],
  now: number,
): readonly HealthProblem[] {
  const groups = new Map<HealthBackup | undefined, string[]>();
  for (const source of sources) {
    const newest = good.find(({ includes }) => includes.includes(source));
    groups.set(newest, [...(groups.get(newest) ?? []), source]);
  }
  return [...groups].flatMap(([newest, names]) => {
    const all = names.length === sources.length;
    const of = names.join(', ');
    if (newest === undefined) {
      return problem('no-backup', null, all ? 'there is no complete backup' : `no complete backup holds ${of}`);
    }
    if (maxAge === undefined || now - newest.time <= maxAge) return [];
    const which = all ? 'the newest complete backup' : `the newest complete backup of ${of}`;
    return problem('too-old', newest.id, `${which} is older than ${durationText(maxAge)}`);
  });
}

const units = [
  ['d', 24 * 60 * 60 * 1000],
  ['h', 60 * 60 * 1000],
  ['min', 60 * 1000],
] as const;

/** `26 h`: in the largest unit that makes it a whole number. */
function durationText(milliseconds: number): string {
  const [unit, size] = units.find(([, each]) => milliseconds >= each && milliseconds % each === 0) ?? ['s', 1000];
  return `${milliseconds / size} ${unit}`;
}

function scheduleProblems({ name, enabled, lastRun, overdueSince }: ScheduleHealth): readonly HealthProblem[] {
  if (!enabled) return [];
  const problems: HealthProblem[] = [];
  if (overdueSince !== undefined) {
    const since = localTime(overdueSince);
    problems.push(problem('schedule-overdue', name, `it has made no complete backup since it was due at ${since}`));
  }
  if (lastRun?.outcome === 'failed') {
    problems.push(problem('schedule-failed', name, `its last run, at ${localTime(lastRun.start)}, failed`));
  }
  if (lastRun?.outcome === 'incomplete') {
    const message = `its last run, at ${localTime(lastRun.start)}, made an incomplete backup`;
    problems.push(problem('schedule-incomplete', name, message));
  }
  return problems;
}

/** Of backups that are not another instance's: one too damaged to say whose it is may be ours. */
function backupProblems(
  { backups, missing }: HealthFacts,
  newest: string | undefined,
  now: number,
): readonly HealthProblem[] {
  const here = backups.filter(({ foreign }) => !foreign);
  const damaged = here.filter(({ status, knownBad }) => status === 'damaged' || knownBad === true);
  const others = here.filter((backup) => !damaged.includes(backup));
  const incomplete = others.filter(({ status }) => status === 'incomplete');
  const unreadable = others.filter(({ status }) => status === 'unknown');
  const future = here.filter(({ time }) => isFuture(time, now));
  return [
    ...damaged.map(({ id }) => problem('backup-damaged', id, 'it cannot be restored as it is')),
    ...missing.map((id) => problem('backup-missing', id, missingMessage(id))),
    ...(newest === undefined
      ? []
      : [problem('backup-incomplete', newest, 'the newest backup lacks something it should hold')]),
    ...together(
      'backup-incomplete',
      incomplete.filter(({ id }) => id !== newest),
      'they lack something they should hold',
    ),
    ...together('backup-unreadable', unreadable, 'what they hold is not known'),
    ...together('backup-future', future, 'a clock was wrong'),
  ];
}

const missingMessage = (id: string): string =>
  `it was made, nobody deleted it, and it is not there: put it back from a copy, or let \`bkp delete ${id}\` forget it`;

const mostNamed = 5;

function together(id: HealthId, backups: readonly HealthBackup[], says: string): readonly HealthProblem[] {
  if (backups.length === 0) return [];
  const named = backups.slice(0, mostNamed).map((backup) => backup.id);
  const more = backups.length > mostNamed ? [`${backups.length - mostNamed} more`] : [];
  return [problem(id, null, `${says}: ${[...named, ...more].join(', ')}`)];
}

function surroundings(facts: HealthFacts, last: HealthBackup | undefined): readonly HealthProblem[] {
  const problems: HealthProblem[] = [];
  const { freeBytes } = facts;
  if (freeBytes !== undefined && last !== undefined && freeBytes < 2 * last.bytes) {
    const short = freeBytes < last.bytes;
    const message = `less space is free than ${short ? 'the last backup takes up' : 'two like the last backup take up'}`;
    problems.push(problem(short ? 'space-short' : 'space-low', last.id, message));
  }
  if (facts.unfinishedRestore) {
    problems.push(
      problem('restore-unfinished', null, 'nothing is backed up until `bkp restore --recover` has been run'),
    );
  }
  if (facts.sameDevice === true) {
    const message = 'the backups lie on the same device as the data: if it fails, both are lost';
    problems.push(problem('same-device', null, message));
  }
  if (!facts.schedules.some(({ enabled }) => enabled)) {
    problems.push(problem('no-schedule', null, 'there is no schedule that is enabled'));
  }
  return problems;
}
