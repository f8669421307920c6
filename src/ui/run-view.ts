import { localSeconds, localTime, timestamp } from '../base/clock.js';
import type { RecordedFinding, RunDetails } from '../catalog/run-record.js';
import { shownName, shownText } from './display.js';
import { counted, formatBytes, formatCount, formatDuration } from './format.js';
import type { JsonLine } from './json-lines.js';
import type { RunEnd } from './json-lines/run.js';
import type { Look } from './look.js';
import type { View } from './output.js';
import { factLines, itemLines, labelledLines } from './prose.js';
import { runFields, stateText } from './run-format.js';

/** What one run did. */
export function runView(details: RunDetails, end: RunEnd): View {
  return {
    findings: [],
    allFindings: '',
    isAnswer: true,
    text: (look) => runText(details, look),
    json: () => runLines(details, end),
  };
}

function* runText({ run, steps, findings }: RunDetails, look: Look): Iterable<string> {
  const { chalk } = look;
  const of = run.schedule === undefined ? '' : ` of schedule ${shownName(run.schedule)}`;
  const code = run.exitCode === undefined ? '' : ` (exit ${run.exitCode})`;
  yield `Run ${run.id}: ${shownName(run.kind)}${of}, ${stateText(run.state, look)}${code}`;
  const took = run.endedAt === undefined ? '' : `, took ${formatDuration(run.endedAt - run.startedAt)}`;
  const facts = [
    ['started', `${localTime(run.startedAt)} on ${shownName(run.host)}${took}`],
    ['slot', run.slot === undefined ? undefined : localTime(run.slot)],
    ['backup', backupText(run)],
    ['error', run.error === undefined ? undefined : `${shownText(run.error.message)} (${run.error.id})`],
  ] as const;
  yield* factLines(facts, look);
  for (const step of steps) {
    const time = localSeconds(step.at);
    const text = `${shownName(step.message)}${pause(step.milliseconds, look)}`;
    yield* itemLines(chalk.dim(time), text, time.length + 2, look);
  }
  if (steps.length < run.steps) yield chalk.dim(`… ${formatCount(run.steps - steps.length)} more steps were not kept`);
  for (const finding of findings) yield* findingTexts(finding, look);
}

function backupText({ backup, files, bytes }: RunDetails['run']): string | undefined {
  if (backup === undefined) return undefined;
  const count = files === undefined ? '' : `, ${counted(files, 'file')}`;
  return `${shownName(backup)}${bytes === undefined ? '' : ` (${formatBytes(bytes)}${count})`}`;
}

/** Only what took a while is worth a look. */
const pause = (milliseconds: number, { chalk }: Look): string =>
  milliseconds < 1000 ? '' : chalk.dim(` (${formatDuration(milliseconds)})`);

function findingTexts({ kind, id, source, path, message }: RecordedFinding, look: Look): readonly string[] {
  const where = path ?? source;
  const text = `${where === undefined ? '' : `${shownName(where)}: `}${shownName(message)} (${id})`;
  return labelledLines(kind === 'note' ? 'note:' : look.chalk.yellow(`${kind}:`), text, look);
}

function* runLines({ run, steps, findings }: RunDetails, end: RunEnd): Iterable<JsonLine> {
  yield { type: 'run', ...runFields(run) };
  for (const { at, id, message } of steps) yield { type: 'step', time: timestamp(at), id, message };
  for (const { kind, id, source, path, message } of findings) {
    yield { type: 'recorded-finding', kind, id, source: source ?? null, path: path ?? null, message };
  }
  yield {
    type: 'summary',
    command: 'log',
    id: run.backup ?? null,
    file: null,
    sha256: null,
    complete: null,
    verified: null,
    ...end,
    counts: { runs: 1, steps: steps.length, findings: findings.length },
  };
}
