import { localSeconds, localTime, timestamp } from '../base/clock.js';
import type { RecordedFinding, RunDetails } from '../catalog/run-record.js';
import { shownName, shownText } from './display.js';
import { counted, formatBytes, formatCount, formatDuration } from './format.js';
import type { JsonLine } from './json-lines.js';
import type { RunEnd } from './json-lines/run.js';
import type { Look } from './look.js';
import type { View } from './output.js';
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
  yield `  started  ${localTime(run.startedAt)} on ${shownName(run.host)}${took}`;
  if (run.slot !== undefined) yield `  slot     ${localTime(run.slot)}`;
  if (run.backup !== undefined) {
    const files = run.files === undefined ? '' : `, ${counted(run.files, 'file')}`;
    const size = run.bytes === undefined ? '' : ` (${formatBytes(run.bytes)}${files})`;
    yield `  backup   ${shownName(run.backup)}${size}`;
  }
  if (run.error !== undefined) yield `  error    ${shownText(run.error.message)} (${run.error.id})`;
  for (const step of steps) {
    yield `${chalk.dim(localSeconds(step.at))}  ${shownName(step.message)}${pause(step.milliseconds, look)}`;
  }
  if (steps.length < run.steps) yield chalk.dim(`… ${formatCount(run.steps - steps.length)} more steps were not kept`);
  for (const finding of findings) yield findingText(finding, look);
}

/** Only what took a while is worth a look. */
const pause = (milliseconds: number, { chalk }: Look): string =>
  milliseconds < 1000 ? '' : chalk.dim(` (${formatDuration(milliseconds)})`);

function findingText({ kind, id, source, path, message }: RecordedFinding, { chalk }: Look): string {
  const where = path ?? source;
  const text = `${where === undefined ? '' : `${shownName(where)}: `}${shownName(message)} (${id})`;
  return kind === 'note' ? `note: ${text}` : `${chalk.yellow(`${kind}:`)} ${text}`;
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
