import { localTime, timestamp } from '../base/clock.js';
import type { BkpError } from '../base/errors.js';
import { exitCodes } from '../base/exit-codes.js';
import type { Finding } from '../manifest/findings.js';
import type { DueSchedule } from '../operations/due-schedules.js';
import type { Reverified } from '../operations/reverify.js';
import { faultText, type InvalidSchedule } from '../operations/schedules.js';
import type { ShownBackup } from './create-view.js';
import { shownName, shownText } from './display.js';
import { findingLine } from './findings-view.js';
import { counted, formatBytes, formatDuration } from './format.js';
import type { JsonLine } from './json-lines.js';
import type { RunEnd } from './json-lines/run.js';
import type { ScheduledLine, ScheduleRunSummary } from './json-lines/schedule-run.js';
import type { Look } from './look.js';
import type { View } from './output.js';
import { labelledLines, proseLines } from './prose.js';

/** What became of a schedule that was due. */
export interface ScheduledRun extends DueSchedule {
  readonly outcome: ScheduledLine['outcome'];
  readonly made?: ShownBackup;
  readonly error?: BkpError;
}

export interface SchedulesRun {
  readonly runs: readonly ScheduledRun[];
  readonly reverified: readonly Reverified[];
  readonly invalid: readonly InvalidSchedule[];
  readonly dryRun: boolean;
}

/** What `schedule run` did. With `-q`, as from cron, only what is wrong is told. */
export function scheduleRunView(result: SchedulesRun, end: RunEnd): View {
  return {
    findings: result.runs.flatMap(({ made }) => made?.findings ?? []),
    allFindings: '`bkp log`',
    isAnswer: true,
    text: (look) => runText(result, look),
    json: () => runLines(result, end),
  };
}

function* runText({ runs, reverified, invalid, dryRun }: SchedulesRun, look: Look): Iterable<string> {
  for (const run of runs) if (isWrong(run) || !look.quiet) yield* outcomeText(run, look);
  for (const { name, faults } of invalid) {
    const shown = shownName(name ?? 'a row without a name');
    const text = `the schedule ${shown} cannot be used: ${shownName(faultText(faults))}`;
    yield* labelledLines(look.chalk.red('error:'), text, look);
  }
  for (const { backup, verdict } of reverified) {
    const about = `${shownName(backup.id)} was verified again:`;
    if (verdict === 'damaged') yield* labelledLines(look.chalk.red('error:'), `${about} DAMAGED`, look);
    else if (!look.quiet) yield* proseLines(`${about} ${verdict}`, look, { hang: 2 });
  }
  if (look.quiet) return;
  if (runs.length === 0) yield 'No schedule is due.';
  if (dryRun) yield 'Nothing was run (--dry-run).';
}

const isWrong = ({ outcome }: ScheduledRun): boolean => outcome === 'failed' || outcome === 'incomplete';

function* outcomeText({ schedule, slot, attempt, outcome, made, error }: ScheduledRun, look: Look): Iterable<string> {
  const { chalk } = look;
  const again = attempt > 1 ? `, attempt ${attempt}` : '';
  const about = `${schedule.name} (due ${localTime(slot)}${again})`;
  switch (outcome) {
    case 'planned':
      yield* proseLines(`${about} would run`, look, { hang: 2 });
      return;
    case 'skipped':
      yield* proseLines(`${about} waits: ${shownText(error?.message ?? '')}`, look, { hang: 2 });
      return;
    case 'failed':
      yield* labelledLines(chalk.red('error:'), `${about} failed: ${shownText(error?.message ?? '')}`, look);
      if (error?.hint !== undefined) yield* labelledLines(chalk.cyan('hint:'), shownText(error.hint), look);
      return;
    case 'done':
    case 'incomplete':
      yield* proseLines(`${about}: ${madeText(made, outcome, look)}`, look, { hang: 2 });
  }
}

function madeText(made: ShownBackup | undefined, outcome: 'done' | 'incomplete', { chalk }: Look): string {
  if (made === undefined) return outcome;
  const whole = outcome === 'done' ? chalk.green('complete') : chalk.yellow.bold('INCOMPLETE');
  const removed = made.pruned?.decisions.filter(({ keep }) => !keep).length ?? 0;
  const gone = removed === 0 ? '' : `, ${counted(removed, 'old one')} removed`;
  return `${shownName(made.id)} is ${whole} (${formatBytes(made.bytes)}, ${formatDuration(made.milliseconds)}${gone})`;
}

function* runLines(result: SchedulesRun, end: RunEnd): Iterable<JsonLine> {
  for (const run of result.runs) {
    for (const finding of run.made?.findings ?? ([] as readonly Finding[])) yield findingLine(finding, run.made?.file);
    yield scheduledLine(run);
  }
  yield summary(result, end);
}

function scheduledLine({ schedule, slot, attempt, outcome, made, error }: ScheduledRun): ScheduledLine {
  const exitCode = outcome === 'incomplete' ? exitCodes.incomplete : (error?.exitCode ?? exitCodes.done);
  return {
    type: 'scheduled',
    schedule: schedule.name,
    slot: timestamp(slot),
    attempt,
    outcome,
    id: made?.id ?? null,
    file: made?.file ?? null,
    exitCode,
    error: error === undefined ? null : { id: error.id, message: error.message, hint: error.hint ?? null },
  };
}

function summary({ runs, reverified, invalid, dryRun }: SchedulesRun, end: RunEnd): ScheduleRunSummary {
  const count = (outcome: ScheduledRun['outcome']): number => runs.filter((run) => run.outcome === outcome).length;
  return {
    type: 'summary',
    command: 'schedule run',
    id: null,
    file: null,
    sha256: null,
    complete: null,
    verified: null,
    ...end,
    dryRun,
    invalid: invalid.map(({ name, faults }) => ({ name: name ?? null, message: faultText(faults) })),
    reverified: reverified.map(({ backup, verdict }) => ({ id: backup.id, verdict })),
    counts: {
      due: runs.length,
      done: count('done'),
      incomplete: count('incomplete'),
      failed: count('failed'),
      skipped: count('skipped'),
    },
  };
}
