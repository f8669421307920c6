import { hasLoss, ofKind, type Finding } from '../manifest/findings.js';
import type { RestoreResult } from '../operations/execute-restore.js';
import type { PlannedSource, RestorePlan } from '../operations/plan-restore.js';
import { shownName } from './display.js';
import { findingCounts, findingLine } from './findings-view.js';
import { counted, formatBytes, formatDuration } from './format.js';
import type { JsonLine } from './json-lines.js';
import type { RestoreSummary } from './json-lines/restore.js';
import type { RunEnd } from './json-lines/run.js';
import type { SourceLine } from './json-lines/source.js';
import type { Look } from './look.js';
import type { View } from './output.js';
import { factLines, proseLines, type Fact } from './prose.js';
import { pathColumn, sourceTable } from './sources-view.js';

/** What a restore is about, beside its result. */
export interface Restored {
  readonly id: string;
  readonly plan: RestorePlan;
  /** How the user calls bkp for this instance. */
  readonly again: string;
}

/** A dry run. */
export function restorePlanView(restored: Restored, end: RunEnd): View {
  const { plan } = restored;
  return {
    ...findingsOf(restored, plan.findings),
    isAnswer: true,
    text: (look) => planText(restored, look),
    json: () => lines(restored, plan.findings, undefined, end),
  };
}

export function restoreView(restored: Restored, result: RestoreResult, end: RunEnd): View {
  return {
    ...findingsOf(restored, result.findings),
    isAnswer: false,
    text: (look) => resultText(restored, result, look),
    json: () => lines(restored, result.findings, result, end),
  };
}

const findingsOf = ({ again }: Restored, findings: readonly Finding[]): Pick<View, 'findings' | 'allFindings'> => ({
  findings,
  allFindings: `--json, or \`${again} show\``,
});

function* planText({ id, plan }: Restored, look: Look): Iterable<string> {
  const { target } = plan.request;
  const where = target === undefined ? '' : ` to ${shownName(target)}`;
  const title = `Restoring ${shownName(id)} would write${where}:`;
  yield* proseLines(look.chalk.bold(title), look, { hang: 2, whole: [shownName(target ?? '')] });
  const rows = plan.sources.filter(({ selected }) => selected);
  // A source that lay in the root itself comes back into the target itself.
  const places = rows.map(({ place }) => (place === '' ? '.' : place));
  yield* sourceTable(rows, [pathColumn('PLACE', places)], look);
  yield '';
  const left = plan.sources.filter(({ selected }) => !selected).map(({ name }) => shownName(name));
  const facts: readonly Fact[] = [
    ['in all', plan.bytes === undefined ? 'the archive does not tell how much' : formatBytes(plan.bytes)],
    ['free', plan.free === undefined ? undefined : formatBytes(plan.free)],
    ['left out', left.length === 0 ? undefined : left.join(', ')],
    ['target', target === undefined ? 'none given: pass --target <folder> to restore' : undefined],
  ];
  yield* factLines(facts, look);
  yield 'Nothing was written (--dry-run).';
  yield* proseLines('The archive was proven as a file; its contents are proven while they come back.', look);
}

function* resultText({ id, plan }: Restored, result: RestoreResult, look: Look): Iterable<string> {
  const { chalk } = look;
  const { target, files, bytes, directories, links, databases, findings, milliseconds } = result;
  const losses = ofKind(findings, 'loss').length;
  const whole =
    losses === 0
      ? chalk.green('restored')
      : chalk.yellow.bold(`restored, but INCOMPLETE (${counted(losses, 'loss', 'losses')})`);
  const proof =
    plan.opened.claims.sums === undefined
      ? 'nothing could be proven: it holds no checksums'
      : 'every file was compared with its SHA-256';
  yield* proseLines(`${chalk.bold(shownName(id))} is ${whole}; ${proof}.`, look, { hang: 2 });
  const names = plan.sources.filter(({ selected }) => selected).map(({ name }) => shownName(name));
  const facts: readonly Fact[] = [
    ['to', shownName(target), 'whole'],
    ['sources', names.join(', ')],
    [
      'holds',
      `${counted(files, 'file')} (${formatBytes(bytes)}), ${counted(directories, 'folder')}, ${counted(links, 'link')}`,
    ],
    ['checked', databases === 0 ? undefined : counted(databases, 'database')],
    ['took', formatDuration(milliseconds)],
  ];
  yield* factLines(facts, look);
}

function* lines(
  restored: Restored,
  findings: readonly Finding[],
  result: RestoreResult | undefined,
  end: RunEnd,
): Iterable<JsonLine> {
  const { plan } = restored;
  for (const source of plan.sources) yield plannedLine(source, plan);
  for (const finding of findings) yield findingLine(finding, plan.request.file.location);
  yield restoreSummary(restored, findings, result, end);
}

function plannedLine({ name, place, selected, files, bytes }: PlannedSource, { manifest }: RestorePlan): SourceLine {
  const recorded = manifest.sources?.find((source) => source.name === name);
  return {
    type: 'source',
    name,
    sourceType: recorded?.type ?? null,
    scope: recorded?.scope ?? null,
    path: recorded?.path ?? null,
    place: place === '' ? '.' : place,
    selected,
    files: files ?? null,
    bytes: bytes ?? null,
    database: recorded?.sqlite ?? null,
    liveDatabases: Object.keys(recorded?.databases ?? {}),
  };
}

function restoreSummary(
  { id, plan }: Restored,
  findings: readonly Finding[],
  result: RestoreResult | undefined,
  end: RunEnd,
): RestoreSummary {
  const { request, sources, bytes, opened } = plan;
  return {
    type: 'summary',
    command: 'restore',
    id,
    file: request.file.location,
    sha256: plan.sha256,
    complete: !hasLoss(findings),
    verified: result === undefined ? null : opened.claims.sums !== undefined,
    ...end,
    dryRun: result === undefined,
    inPlace: false,
    outcome: result === undefined ? null : 'restored',
    target: request.target ?? null,
    sources: sources.filter(({ selected }) => selected).map(({ name }) => name),
    changes: [],
    space: [],
    inUse: [],
    schedules: null,
    safety: null,
    kept: [],
    unexpected: [],
    counts: {
      files: result?.files ?? null,
      directories: result?.directories ?? null,
      links: result?.links ?? null,
      bytes: result?.bytes ?? bytes ?? null,
      databases: result?.databases ?? null,
      ...findingCounts(findings),
    },
  };
}
