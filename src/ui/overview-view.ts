import { localTime } from '../base/clock.js';
import type { HealthId } from '../policy/health-problem.js';
import { shownName } from './display.js';
import { counted, formatAge, formatBytes } from './format.js';
import type { RunEnd } from './json-lines/run.js';
import type { Look } from './look.js';
import type { View } from './output.js';
import { factLines, itemLines, proseLines } from './prose.js';
import { isFirst, problemTexts, statusVerdict, statusView, type Status } from './status-view.js';

/** The shortest answer to how things are, and three commands to go on with. For programs the same as `status`. */
export function overviewView(status: Status, end: RunEnd): View {
  const whole = statusView(status, end);
  return { ...whole, text: (look) => (look.quiet ? whole.text(look) : overviewText(status, look)) };
}

function* overviewText(status: Status, look: Look): Iterable<string> {
  const { result, storage, now, call } = status;
  const { health, lastGood, backups, bytes } = result;
  yield* proseLines(statusVerdict(status, look), look);
  const facts = [
    ['last good', lastGood === undefined ? 'none' : `${shownName(lastGood.id)}, ${formatAge(lastGood.time, now)}`],
    ['next run', nextRun(status)],
    ['storage', `${shownName(storage)}: ${counted(backups, 'backup')}, ${formatBytes(bytes)}`],
  ] as const;
  yield* factLines(facts, look);
  const faults = health.problems.filter(({ level }) => level === 'fault');
  for (const problem of faults) yield* problemTexts(problem, look);
  yield '';
  yield 'What to do next:';
  const steps = nextSteps(status).map(([words, why]) => ({ command: `  ${shownName(`${call} ${words}`)}`, why }));
  const at = Math.max(...steps.map(({ command }) => command.length)) + 2;
  for (const { command, why } of steps) yield* itemLines(command, why, at, look, { whole: [command] });
}

function nextRun({ result: { schedules }, now }: Status): string {
  const coming = schedules.flatMap(({ name, next }) => (next === undefined ? [] : [{ name, next }]));
  const [first] = coming.toSorted((a, b) => a.next - b.next);
  if (first === undefined) return schedules.length === 0 ? 'none: there is no schedule' : 'none: every schedule is off';
  return `${shownName(first.name)}, ${first.next <= now ? 'due now' : localTime(first.next)}`;
}

type NextStep = readonly [words: string, why: string];

/** Three commands, those first that something is wrong without. */
export function nextSteps({ result }: Status): readonly NextStep[] {
  const { health, schedules, lastGood } = result;
  const { newestIncomplete } = health;
  const has = (...ids: readonly HealthId[]): boolean => health.problems.some(({ id }) => ids.includes(id));
  const steps: readonly (NextStep | false)[] = [
    has('restore-unfinished') && ['restore --recover', 'finish or undo the restore that was interrupted'],
    lastGood === undefined && ['create --dry-run', 'what it would hold'],
    lastGood === undefined && ['create', isFirst(result) ? 'make the first one' : 'make a complete one'],
    newestIncomplete !== undefined && [`show ${newestIncomplete}`, 'see what the newest backup lacks'],
    has('schedule-overdue', 'schedule-failed', 'schedule-incomplete') && ['log', 'see what the last run did'],
    has('backup-damaged', 'backup-missing') && ['list --failed', 'see which backups cannot be used'],
    !health.healthy && lastGood !== undefined && ['doctor', 'see what is in the way'],
    schedules.length === 0 && ['schedule set daily --every daily --at 03:30 --keep 7', 'let it run by itself'],
    lastGood !== undefined && ['create', 'make a backup now'],
    lastGood !== undefined && ['restore latest --dry-run', 'see what comes back'],
    ['status', 'see all of it'],
  ];
  return steps.filter((step) => step !== false).slice(0, 3);
}
