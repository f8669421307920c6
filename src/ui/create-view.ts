import type { CreatePlan } from '../operations/plan-create.js';
import type { CreateResult } from '../operations/create-backup.js';
import type { CreateRequest } from '../operations/create-request.js';
import { ofKind } from '../manifest/findings.js';
import { shellWord, shownName } from './display.js';
import { findingCounts, findingLine } from './findings-view.js';
import { counted, formatBytes, formatDuration } from './format.js';
import type { CreateSummary, RunEnd } from './json-lines.js';
import type { Look } from './look.js';
import type { View } from './output.js';
import { recordedSourceLine, sourceTable } from './sources-view.js';
import { factLines } from './table.js';

/** `again`: how the user calls bkp for this instance (`bkp -C /srv/site`). */
export function createView(result: CreateResult, request: CreateRequest, again: string, end: RunEnd): View {
  const { findings, file, id, manifest } = result;
  const reference = request.destination.kind === 'file' ? shellWord(file) : id;
  return {
    findings,
    allFindings: `\`${again} show ${reference}\``,
    isAnswer: false,
    text: (look) => createText(result, `${again} restore ${reference} --dry-run`, look),
    *json() {
      for (const source of manifest.sources) yield recordedSourceLine(source);
      for (const finding of findings) yield findingLine(finding, file);
      yield createSummary(result, request, end);
    },
  };
}

function* createText(result: CreateResult, next: string, { chalk }: Look): Iterable<string> {
  const { id, file, bytes, sha256, complete, verified, manifest, findings, milliseconds } = result;
  const losses = ofKind(findings, 'loss').length;
  const whole = complete
    ? chalk.green('complete')
    : chalk.yellow.bold(`INCOMPLETE (${counted(losses, 'loss', 'losses')})`);
  const proof = verified ? 'every file was read back and compared' : 'its bytes were read back, its files were not';
  yield `${chalk.bold(`Backup ${id}`)} is ${whole}; ${proof}.`;
  const { files, bytes: content } = manifest.totals;
  yield* factLines([
    ['file', shownName(file)],
    ['size', `${formatBytes(bytes)} (${counted(files, 'file')}, ${formatBytes(content)} of content)`],
    ['sources', manifest.includes.map(shownName).join(', ')],
    ['sha256', sha256],
    ['took', formatDuration(milliseconds)],
    ['next', shownName(next)],
  ]);
}

function createSummary(result: CreateResult, request: CreateRequest, end: RunEnd): CreateSummary {
  const { id, file, container, bytes, sha256, complete, verified, manifest, findings } = result;
  const { files, directories, links, bytes: contentBytes } = manifest.totals;
  const sources = manifest.sources.length;
  return {
    type: 'summary',
    command: 'create',
    id,
    file,
    sha256,
    complete,
    verified,
    ...end,
    dryRun: false,
    instance: request.instance,
    format: container,
    bytes,
    leftOut: request.leftOut,
    counts: { sources, files, directories, links, contentBytes, ...findingCounts(findings) },
  };
}

/** A dry run. */
export function createPlanView(plan: CreatePlan, request: CreateRequest, end: RunEnd): View {
  return {
    findings: plan.findings,
    allFindings: '--json',
    isAnswer: true,
    text: (look) => planText(plan, request, look),
    *json() {
      for (const { name, type, scope, path, files, bytes, liveDatabases } of plan.sources) {
        const about = { place: null, selected: true, database: null, liveDatabases };
        yield { type: 'source', name, sourceType: type, scope, path, files, bytes, ...about };
      }
      for (const finding of plan.findings) yield findingLine(finding, undefined);
      yield planSummary(plan, request, end);
    },
  };
}

function* planText(plan: CreatePlan, request: CreateRequest, look: Look): Iterable<string> {
  const { destination, instance } = request;
  const where = destination.kind === 'file' ? destination.path : destination.storage.location;
  yield look.chalk.bold(`A backup of ${shownName(instance)} would hold:`);
  const rows = plan.sources.map(({ name, files, bytes, scope, path }) => ({
    name,
    files,
    bytes,
    cells: { SCOPE: scope, PATH: path },
  }));
  yield* sourceTable(rows, ['SCOPE', 'PATH'], look);
  yield '';
  const live = plan.sources.flatMap(({ liveDatabases }) => liveDatabases);
  yield* factLines([
    ['in all', `${counted(plan.files, 'file')}, ${formatBytes(plan.bytes)} of content`],
    ['databases in folders', live.length === 0 ? undefined : live.map(shownName).join(', ')],
    ['left out', plan.leftOut.length === 0 ? undefined : plan.leftOut.map(shownName).join(', ')],
    ['goes to', `${shownName(where)} (${destination.container})`],
  ]);
  yield 'Nothing was written (--dry-run).';
}

function planSummary(plan: CreatePlan, request: CreateRequest, end: RunEnd): CreateSummary {
  const { files, bytes, sources, findings, leftOut } = plan;
  const complete = ofKind(findings, 'loss').length === 0;
  const unknown = { directories: null, links: null };
  const counts = { sources: sources.length, files, ...unknown, contentBytes: bytes, ...findingCounts(findings) };
  return {
    type: 'summary',
    command: 'create',
    id: null,
    file: null,
    sha256: null,
    complete,
    verified: null,
    ...end,
    dryRun: true,
    instance: request.instance,
    format: request.destination.container,
    bytes: null,
    leftOut,
    counts,
  };
}
