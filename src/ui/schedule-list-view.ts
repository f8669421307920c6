import { localTime, timestamp } from '../base/clock.js';
import { faultText, type InvalidSchedule } from '../operations/schedules.js';
import type { ScheduleHealth } from '../policy/schedule-health.js';
import type { Schedule } from '../policy/schedule.js';
import { shownName } from './display.js';
import { counted, formatAge } from './format.js';
import type { RunEnd } from './json-lines/run.js';
import type { ScheduleLine, ScheduleListSummary } from './json-lines/schedule.js';
import type { Look } from './look.js';
import type { View } from './output.js';
import { proseLines } from './prose.js';
import { keepText, timingText } from './schedule-format.js';
import { scheduleFields } from './schedule-lines.js';
import { tableLines, type Column } from './table.js';

export interface ScheduleList {
  readonly schedules: readonly { readonly schedule: Schedule; readonly health: ScheduleHealth }[];
  readonly invalid: readonly InvalidSchedule[];
  readonly location: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How the user calls bkp for this instance. */
  readonly call: string;
}

/** The schedules, with when each is due and how its last run ended. */
export function scheduleListView(list: ScheduleList, end: RunEnd): View {
  return {
    findings: [],
    allFindings: '',
    isAnswer: true,
    text: (look) => listText(list, look),
    *json() {
      for (const { schedule, health } of list.schedules) yield scheduleLine(schedule, health, list.now);
      yield listSummary(list, end);
    },
  };
}

function* listText(list: ScheduleList, look: Look): Iterable<string> {
  const { schedules, invalid, location, call } = list;
  if (schedules.length > 0) yield* tableLines(columns(list, look), look.width, look.chalk.dim);
  for (const { name, faults } of invalid) {
    const text = `${shownName(name ?? 'a row without a name')}: ${shownName(faultText(faults))}`;
    yield* proseLines(`${look.chalk.red('cannot be used:')} ${text}`, look, { hang: 2 });
  }
  if (look.quiet) return;
  const shown = shownName(location);
  if (schedules.length + invalid.length === 0) {
    const command = `${shownName(call)} schedule set daily --every daily --at 03:30 --keep 7`;
    yield* proseLines(`There are no schedules in ${shown} yet.`, look, { hang: 2, whole: [shown] });
    yield* proseLines(`Make one: ${command}`, look, { hang: 2, whole: [command] });
  } else {
    const text = `${counted(schedules.length, 'schedule')} in ${shown}`;
    yield* proseLines(look.chalk.dim(text), look, { hang: 2, whole: [shown] });
  }
}

function columns({ schedules, now }: ScheduleList, { chalk }: Look): readonly Column[] {
  const last = ({ lastRun }: ScheduleHealth): string =>
    lastRun === undefined ? 'never' : `${lastRun.outcome} ${formatAge(lastRun.start, now)}`;
  const next = ({ next: time }: ScheduleHealth, shown: (time: number) => string): string =>
    time === undefined ? '' : time <= now ? 'due now' : shown(time);
  const state = ({ overdueSince, enabled }: ScheduleHealth): string =>
    enabled ? (overdueSince === undefined ? 'on' : chalk.red('OVERDUE')) : 'off';
  const timings = schedules.map(({ schedule }) => timingText(schedule));
  return [
    { title: 'NAME', cells: schedules.map(({ schedule }) => schedule.name) },
    {
      title: 'RUNS',
      brief: { order: 4, cells: timings.map((text) => text.replaceAll(/ (?:on|at) /g, ' ')) },
      shrink: { to: 18, order: 5 },
      cells: timings,
    },
    { title: 'KEEPS', drop: { order: 2 }, cells: schedules.map(({ schedule }) => keepText(schedule)) },
    {
      title: 'NEXT',
      brief: { order: 3, cells: schedules.map(({ health }) => next(health, (time) => formatAge(time, now))) },
      drop: { order: 7 },
      cells: schedules.map(({ health }) => next(health, localTime)),
    },
    {
      title: 'LAST RUN',
      brief: { order: 1, cells: schedules.map(({ health }) => health.lastRun?.outcome ?? 'never') },
      drop: { order: 6 },
      cells: schedules.map(({ health }) => last(health)),
    },
    { title: 'STATE', cells: schedules.map(({ health }) => state(health)) },
  ];
}

const orNull = (time: number | undefined): string | null => (time === undefined ? null : timestamp(time));

function scheduleLine(schedule: Schedule, health: ScheduleHealth, now: number): ScheduleLine {
  const { lastRun, lastGood, overdueSince } = health;
  return {
    type: 'schedule',
    ...scheduleFields(schedule, now),
    due: health.next !== undefined && health.next <= now,
    lastGood: orNull(lastGood),
    lastRun: orNull(lastRun?.start),
    lastOutcome: lastRun?.outcome ?? null,
    overdueSince: orNull(overdueSince),
  };
}

function listSummary({ schedules, invalid, location }: ScheduleList, end: RunEnd): ScheduleListSummary {
  return {
    type: 'summary',
    command: 'schedule list',
    id: null,
    file: null,
    sha256: null,
    complete: null,
    verified: null,
    ...end,
    location,
    invalid: invalid.map(({ name, faults }) => ({ name: name ?? null, message: faultText(faults) })),
    counts: { schedules: schedules.length, invalid: invalid.length },
  };
}
