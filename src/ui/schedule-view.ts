import { localTime } from '../base/clock.js';
import type { Schedule } from '../policy/schedule.js';
import { nextSlot } from '../policy/slots.js';
import { shownName } from './display.js';
import type { RunEnd } from './json-lines/run.js';
import type { ScheduleChangeSummary } from './json-lines/schedule.js';
import type { Look } from './look.js';
import type { View } from './output.js';
import { factLines, proseLines } from './prose.js';
import { keepText, timingText } from './schedule-format.js';
import { scheduleFields } from './schedule-lines.js';

export type ScheduleChange = {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How the user calls bkp for this instance. */
  readonly call: string;
} & (
  | { readonly kind: 'made' | 'changed'; readonly schedule: Schedule }
  /** `schedule`: undefined where its row cannot be used, or it is gone. */
  | {
      readonly kind: 'enabled' | 'disabled' | 'removed';
      readonly name: string;
      readonly schedule: Schedule | undefined;
    }
);

/** What a schedule is now. */
export function scheduleChangeView(change: ScheduleChange, location: string, end: RunEnd): View {
  return {
    findings: [],
    allFindings: '',
    isAnswer: false,
    text: (look) => changeText(change, location, look),
    json: () => [changeSummary(change, location, end)],
  };
}

const nameOf = (change: ScheduleChange): string => ('name' in change ? change.name : change.schedule.name);

function* changeText(change: ScheduleChange, location: string, look: Look): Iterable<string> {
  const { kind, schedule, now, call } = change;
  yield* proseLines(
    `Schedule ${shownName(nameOf(change))} is ${kind}${kind === 'removed' ? '; its backups stay' : ''}.`,
    look,
  );
  if (schedule === undefined) return;
  const install = `${shownName(call)} schedule install`;
  const facts = [
    ['runs', `${timingText(schedule)}${schedule.enabled ? '' : ' (off)'}`],
    ['keeps', keepText(schedule)],
    ['next', schedule.enabled ? localTime(nextSlot(schedule, now)) : undefined],
    ['in', shownName(location), 'whole'],
    ['then', kind === 'made' ? `\`${install}\`, so that it runs by itself` : undefined],
  ] as const;
  yield* factLines(facts, look);
}

function changeSummary(change: ScheduleChange, location: string, end: RunEnd): ScheduleChangeSummary {
  const { schedule, now } = change;
  return {
    type: 'summary',
    command: 'schedule',
    id: null,
    file: null,
    sha256: null,
    complete: null,
    verified: null,
    ...end,
    change: change.kind,
    name: nameOf(change),
    location,
    schedule: schedule === undefined ? null : scheduleFields(schedule, now),
  };
}
