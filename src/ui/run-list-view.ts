import { localTime } from '../base/clock.js';
import type { RecordedRun } from '../catalog/run-record.js';
import { shownName } from './display.js';
import { counted, formatDuration } from './format.js';
import type { RunLine, RunListSummary } from './json-lines/log.js';
import type { RunEnd } from './json-lines/run.js';
import type { Look } from './look.js';
import type { View } from './output.js';
import { proseLines } from './prose.js';
import { runFields, stateText } from './run-format.js';
import { tableLines } from './table.js';

/** The last runs, newest first. */
export function runListView(runs: readonly RecordedRun[], storage: string, end: RunEnd): View {
  return {
    findings: [],
    allFindings: '',
    isAnswer: true,
    text: (look) => listText(runs, storage, look),
    *json() {
      for (const run of runs) yield { type: 'run', ...runFields(run) } satisfies RunLine;
      yield listSummary(runs.length, end);
    },
  };
}

function* listText(runs: readonly RecordedRun[], storage: string, look: Look): Iterable<string> {
  if (runs.length === 0) {
    const shown = shownName(storage);
    yield* proseLines(`No run is remembered in ${shown}.`, look, { whole: [shown] });
    return;
  }
  const took = ({ startedAt, endedAt }: RecordedRun): string =>
    endedAt === undefined ? '' : formatDuration(endedAt - startedAt);
  const columns = [
    { title: 'RUN', align: 'right' as const, cells: runs.map(({ id }) => String(id)) },
    { title: 'WHAT', cells: runs.map(({ kind }) => shownName(kind)) },
    { title: 'SCHEDULE', drop: { order: 1 }, cells: runs.map(({ schedule }) => shownName(schedule ?? '')) },
    { title: 'STARTED', drop: { order: 3 }, cells: runs.map(({ startedAt }) => localTime(startedAt)) },
    { title: 'TOOK', drop: { order: 2 }, align: 'right' as const, cells: runs.map(took) },
    { title: 'RESULT', cells: runs.map(({ state }) => stateText(state, look)) },
    { title: 'BACKUP', cells: runs.map(({ backup }) => shownName(backup ?? '')) },
  ];
  yield* tableLines(columns, look.width, look.chalk.dim);
  if (look.quiet) return;
  yield* proseLines(look.chalk.dim(`${counted(runs.length, 'run')}; \`bkp log <run>\` shows its steps`), look);
}

function listSummary(runs: number, end: RunEnd): RunListSummary {
  return {
    type: 'summary',
    command: 'log',
    id: null,
    file: null,
    sha256: null,
    complete: null,
    verified: null,
    ...end,
    counts: { runs, steps: 0, findings: 0 },
  };
}
