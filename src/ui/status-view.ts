import { localTime, timestamp } from '../base/clock.js';
import type { StatusResult } from '../operations/check-status.js';
import type { HealthProblem } from '../policy/health-problem.js';
import type { ScheduleHealth } from '../policy/schedule-health.js';
import { shownName } from './display.js';
import { counted, formatAge, formatBytes } from './format.js';
import type { RunEnd } from './json-lines/run.js';
import type { ProblemLine, StatusSummary } from './json-lines/status.js';
import type { Look } from './look.js';
import type { View } from './output.js';
import { factLines, labelledLines, proseLines } from './prose.js';
import { tableLines } from './table.js';

export interface Status {
  readonly result: StatusResult;
  readonly instance: string;
  readonly storage: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How the user calls bkp for this instance. */
  readonly call: string;
}

/** How the backups of an instance are. With `-q` only what is wrong is told. */
export function statusView(status: Status, end: RunEnd): View {
  return {
    findings: [],
    allFindings: '',
    isAnswer: true,
    text: (look) => statusText(status, look),
    *json() {
      for (const problem of status.result.health.problems) yield problemLine(problem);
      yield statusSummary(status, end);
    },
  };
}

export function statusVerdict({ result: { health }, instance }: Status, { chalk }: Look): string {
  const verdict = health.healthy ? chalk.green('healthy') : chalk.red.bold('NOT HEALTHY');
  const but = health.healthy && health.newestIncomplete !== undefined;
  const newest = but ? `, but the newest is ${chalk.yellow.bold('INCOMPLETE')}` : '';
  return `The backups of ${shownName(instance)} are ${verdict}${newest}.`;
}

function* statusText(status: Status, look: Look): Iterable<string> {
  const { result, storage, now, call } = status;
  const { quiet } = look;
  const { health, schedules, lastGood, backups, bytes, freeBytes } = result;
  const faults = health.problems.filter(({ level }) => level === 'fault');
  if (!quiet) {
    yield* proseLines(statusVerdict(status, look), look);
    const newest = lastGood === undefined ? 'none' : `${shownName(lastGood.id)}, ${formatAge(lastGood.time, now)}`;
    const free = freeBytes === undefined ? '' : `, ${formatBytes(freeBytes)} free`;
    const facts = [
      ['last good', `${newest}${lastGood === undefined ? '' : ` (${formatBytes(lastGood.bytes)})`}`],
      ['storage', `${shownName(storage)}: ${counted(backups, 'backup')}, ${formatBytes(bytes)}${free}`],
    ] as const;
    yield* factLines(facts, look);
    if (schedules.length > 0) yield* ['', ...scheduleTable(schedules, now, look), ''];
  }
  for (const problem of quiet ? faults : health.problems) yield* problemTexts(problem, look);
  if (quiet) return;
  for (const { what, command } of nextSteps(result, shownName(call))) {
    yield* proseLines(`${what}: ${command}`, look, { hang: 2, whole: [command] });
  }
}

function* nextSteps(result: StatusResult, call: string): Iterable<{ readonly what: string; readonly command: string }> {
  const { lastGood, health } = result;
  const { newestIncomplete } = health;
  if (newestIncomplete !== undefined) {
    yield { what: 'What the newest lacks', command: `${call} show ${shownName(newestIncomplete)}` };
  }
  if (lastGood !== undefined && newestIncomplete !== undefined) {
    yield { what: 'Put the last good one back', command: `${call} restore ${shownName(lastGood.id)} --dry-run` };
  }
  if (lastGood !== undefined && newestIncomplete === undefined) return;
  yield { what: isFirst(result) ? 'Make the first backup' : 'Make a complete backup', command: `${call} create` };
}

/** Nothing is there, and nothing is missed. */
export const isFirst = ({ backups, health }: StatusResult): boolean =>
  backups === 0 && !health.problems.some(({ id }) => id === 'backup-missing');

function scheduleTable(schedules: readonly ScheduleHealth[], now: number, { width, chalk }: Look): readonly string[] {
  const age = (time: number | undefined): string => (time === undefined ? 'never' : formatAge(time, now));
  const columns = [
    { title: 'SCHEDULE', cells: schedules.map(({ name }) => name) },
    { title: 'LAST GOOD', cells: schedules.map(({ lastGood }) => age(lastGood)) },
    {
      title: 'LAST RUN',
      brief: { order: 1, cells: schedules.map(({ lastRun }) => lastRun?.outcome ?? 'never') },
      drop: { order: 2 },
      cells: schedules.map(({ lastRun }) =>
        lastRun === undefined ? 'never' : `${lastRun.outcome}, ${formatAge(lastRun.start, now)}`,
      ),
    },
    {
      title: 'NEXT',
      cells: schedules.map(({ next }) => (next === undefined ? 'off' : next <= now ? 'due now' : localTime(next))),
    },
    {
      title: 'STATE',
      cells: schedules.map(({ enabled, overdueSince }) =>
        enabled ? (overdueSince === undefined ? 'ok' : chalk.red('OVERDUE')) : 'off',
      ),
    },
  ];
  return tableLines(columns, width, chalk.dim);
}

export function problemTexts({ id, level, subject, message }: HealthProblem, look: Look): readonly string[] {
  const about = subject === null ? '' : `${shownName(subject)}: `;
  const mark = level === 'fault' ? look.chalk.red('fault:') : look.chalk.cyan('note:');
  return labelledLines(mark, `${about}${shownName(message)} (${id})`, look);
}

function problemLine({ id, level, subject, message }: HealthProblem): ProblemLine {
  return { type: 'problem', level, id, subject, message };
}

const orNull = (time: number | undefined): string | null => (time === undefined ? null : timestamp(time));

function statusSummary({ result, instance, storage, now }: Status, end: RunEnd): StatusSummary {
  const { health, schedules, lastGood, backups, bytes, freeBytes, sameDevice } = result;
  return {
    type: 'summary',
    command: 'status',
    id: lastGood?.id ?? null,
    file: lastGood?.file ?? null,
    sha256: null,
    complete: null,
    verified: null,
    ...end,
    healthy: health.healthy,
    instance,
    storage,
    lastGood: orNull(lastGood?.time),
    lastGoodAge: lastGood === undefined ? null : Math.round((now - lastGood.time) / 1000),
    freeBytes: freeBytes ?? null,
    sameDevice,
    schedules: schedules.map((schedule) => ({
      name: schedule.name,
      enabled: schedule.enabled,
      lastGood: orNull(schedule.lastGood),
      lastRun: orNull(schedule.lastRun?.start),
      lastOutcome: schedule.lastRun?.outcome ?? null,
      next: orNull(schedule.next),
      overdueSince: orNull(schedule.overdueSince),
    })),
    counts: {
      backups,
      bytes,
      faults: health.problems.filter(({ level }) => level === 'fault').length,
      notes: health.problems.filter(({ level }) => level === 'note').length,
    },
  };
}
