import { localTime, timestamp } from '../base/clock.js';
import type { Schedule } from '../policy/schedule.js';
import type { RunEnd } from './json-lines/run.js';
import type { ScheduleNextSummary } from './json-lines/schedule.js';
import type { View } from './output.js';
import { tableLines } from './table.js';

/** When schedules are due, the next slot first; times in milliseconds since 1970. */
export function scheduleNextView(
  slots: readonly { readonly schedule: Schedule; readonly time: number }[],
  end: RunEnd,
): View {
  return {
    findings: [],
    allFindings: '',
    isAnswer: true,
    *text({ width, chalk }) {
      if (slots.length === 0) yield 'No schedule is turned on.';
      else {
        const at = { title: 'DUE', cells: slots.map(({ time }) => localTime(time)) };
        const name = { title: 'SCHEDULE', cells: slots.map(({ schedule }) => schedule.name) };
        yield* tableLines([at, name], width, chalk.dim);
      }
    },
    json: () => [nextSummary(slots, end)],
  };
}

function nextSummary(
  slots: readonly { readonly schedule: Schedule; readonly time: number }[],
  end: RunEnd,
): ScheduleNextSummary {
  return {
    type: 'summary',
    command: 'schedule next',
    id: null,
    file: null,
    sha256: null,
    complete: null,
    verified: null,
    ...end,
    slots: slots.map(({ schedule, time }) => ({ schedule: schedule.name, time: timestamp(time) })),
  };
}
