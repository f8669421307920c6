import { never } from '../base/errors.js';
import type { CreatePlan } from '../operations/plan-create.js';
import type { BackupRunResult } from '../operations/backup-run.js';
import type { CreateResult } from '../operations/create-backup.js';
import type { CreateRequest } from '../operations/create-request.js';
import type { PruneResult } from '../operations/prune-backups.js';
import { ofKind } from '../manifest/findings.js';
import { placeIn, shellWord, shownName } from './display.js';
import { encryptionText } from './encryption-text.js';
import { findingCounts, findingLine } from './findings-view.js';
import { counted, formatBytes, formatDuration } from './format.js';
import type { CreateSummary } from './json-lines/create.js';
import type { RunEnd } from './json-lines/run.js';
import type { Look } from './look.js';
import type { View } from './output.js';
import { factLines, proseLines, type Fact } from './prose.js';
import { pathColumn, recordedSourceLine, scopeColumn, sourceTable } from './sources-view.js';

/** A backup, with what followed it in the storage. */
export type ShownBackup = CreateResult & Partial<Pick<BackupRunResult, 'copied' | 'pruned'>>;

/** How the user calls bkp. */
export interface Call {
  /** For this instance: `bkp -C /srv/site`. */
  readonly again: string;
  /** What is added so that an encrypted backup opens: ` --passphrase-file key`, or nothing. */
  readonly unlocking: string;
  /** The source that the archive lies in. */
  readonly heldBy: string | undefined;
}

export function createView(result: ShownBackup, request: CreateRequest, call: Call, end: RunEnd): View {
  const { findings, manifest } = result;
  const where = whereIs(result, request, call);
  return {
    findings,
    allFindings: where.allFindings,
    isAnswer: false,
    ...(call.heldBy === undefined
      ? {}
      : {
          remark: `the archive lies in the source ${call.heldBy}: the next backup would hold it, so move it elsewhere`,
        }),
    text: (look) => createText(result, where, look),
    *json() {
      for (const source of manifest.sources) yield recordedSourceLine(source);
      for (const finding of findings) yield findingLine(finding, where.file);
      yield createSummary(result, request, where.file, end);
    },
  };
}

interface Where {
  /** Undefined where nobody here knows it: a stream went to its reader. */
  readonly file: string | undefined;
  readonly allFindings: string;
  /** What to run next. */
  readonly next: string;
}

function whereIs(
  { file, id, complete }: CreateResult,
  { destination }: CreateRequest,
  { again, unlocking }: Call,
): Where {
  if (destination.kind === 'stream') {
    return { file: undefined, allFindings: 'manifest.json in it', next: 'bkp verify, on the file where it arrived' };
  }
  const reference = destination.kind === 'file' ? shellWord(file) : id;
  return {
    file,
    allFindings: `\`${again} show ${reference}${unlocking}\``,
    // One that lacks something, a damaged database perhaps, is not what somebody should put back.
    next: complete ? `${again} restore ${reference} --dry-run${unlocking}` : `${again} show ${reference}${unlocking}`,
  };
}

function* createText(result: ShownBackup, { file, next }: Where, look: Look): Iterable<string> {
  const { chalk } = look;
  const { copied = [], pruned, id, bytes, sha256, complete, manifest, findings, milliseconds, takenOver } = result;
  const losses = ofKind(findings, 'loss').length;
  const whole = complete
    ? chalk.green('complete')
    : chalk.yellow.bold(`INCOMPLETE (${counted(losses, 'loss', 'losses')})`);
  yield* proseLines(`${chalk.bold(`Backup ${id}`)} is ${whole}; ${proofText(result, file)}.`, look, { hang: 2 });
  const { files, bytes: content } = manifest.totals;
  const facts: readonly Fact[] = [
    ['file', shownName(file ?? result.file), 'whole'],
    ['size', `${formatBytes(bytes)} (${counted(files, 'file')}, ${formatBytes(content)} of content)`],
    ['unchanged', takenText(takenOver)],
    ['encrypted', encryptionText(manifest.encryption)],
    ['sources', manifest.includes.map(shownName).join(', ')],
    ['sha256', sha256],
    ...copied.map((copy) => ['copy', shownName(copy), 'whole'] as const),
    ['removed', prunedText(pruned)],
    ['took', formatDuration(milliseconds)],
    ['next', shownName(next), 'whole'],
  ];
  yield* factLines(facts, look);
}

/** What retention took away, or would. */
function prunedText(pruned: PruneResult | undefined): string | undefined {
  if (pruned === undefined) return undefined;
  const removed = pruned.decisions.filter(({ keep }) => !keep).map(({ backup }) => shownName(backup.id));
  const left = pruned.left === 0 ? [] : [`${counted(pruned.left, 'more backup')} to be removed by \`bkp prune\``];
  return removed.length + left.length === 0 ? undefined : [...removed, ...left].join(', ');
}

function takenText({ files, bytes }: CreateResult['takenOver']): string | undefined {
  if (files === 0) return undefined;
  return `${counted(files, 'file')} (${formatBytes(bytes)}), taken over from the backup before`;
}

function proofText({ verified }: CreateResult, file: string | undefined): string {
  if (verified) return 'every file was read back';
  return file === undefined
    ? 'it was streamed, and nothing of it was read back'
    : 'its bytes were read back, its files were not';
}

function createSummary(
  result: ShownBackup,
  request: CreateRequest,
  file: string | undefined,
  end: RunEnd,
): CreateSummary {
  const { id, container, bytes, sha256, complete, verified, manifest, findings } = result;
  const { files, directories, links, bytes: contentBytes } = manifest.totals;
  const sources = manifest.sources.length;
  const removed = result.pruned?.decisions.filter(({ keep }) => !keep) ?? [];
  return {
    type: 'summary',
    command: 'create',
    id,
    file: file ?? null,
    sha256,
    complete,
    verified,
    ...end,
    dryRun: false,
    instance: request.instance,
    format: container,
    encrypted: manifest.encryption.enabled,
    bytes,
    leftOut: request.leftOut,
    takenOver: result.takenOver,
    copies: result.copied ?? [],
    removed: removed.map(({ backup }) => backup.id),
    counts: { sources, files, directories, links, contentBytes, ...findingCounts(findings) },
  };
}

/** What a dry run looked at. */
export interface Planned {
  readonly request: CreateRequest;
  readonly encrypted: boolean;
}

/** A dry run. */
export function createPlanView(plan: CreatePlan, planned: Planned, end: RunEnd): View {
  return {
    findings: plan.findings,
    allFindings: '--json',
    isAnswer: true,
    text: (look) => planText(plan, planned, look),
    *json() {
      for (const { name, type, scope, path, files, bytes, liveDatabases } of plan.sources) {
        const about = { place: null, selected: true, database: null, liveDatabases };
        yield { type: 'source', name, sourceType: type, scope, path, files, bytes, ...about };
      }
      for (const finding of plan.findings) yield findingLine(finding, undefined);
      yield planSummary(plan, planned, end);
    },
  };
}

function* planText(plan: CreatePlan, { request, encrypted }: Planned, look: Look): Iterable<string> {
  const { destination, instance, root } = request;
  const title = `A backup of ${shownName(instance)}, in ${shownName(root)}, would hold:`;
  yield* proseLines(look.chalk.bold(title), look, { hang: 2, whole: [shownName(root)] });
  const scopes = plan.sources.map(({ scope }) => scope);
  const paths = plan.sources.map(({ path }) => placeIn(root, path));
  yield* sourceTable(plan.sources, [scopeColumn(scopes), pathColumn('PATH', paths)], look);
  yield '';
  const live = plan.sources.flatMap(({ liveDatabases }) => liveDatabases);
  const facts: readonly Fact[] = [
    ['in all', `${counted(plan.files, 'file')}, ${formatBytes(plan.bytes)} of content`],
    ['databases in folders', live.length === 0 ? undefined : live.map(shownName).join(', ')],
    ['left out', plan.leftOut.length === 0 ? undefined : plan.leftOut.map(shownName).join(', ')],
    ['goes to', `${shownName(placeOf(destination))} (${destination.container}${encrypted ? ', encrypted' : ''})`],
  ];
  yield* factLines(facts, look);
  yield 'Nothing was written (--dry-run).';
}

function placeOf(destination: CreateRequest['destination']): string {
  switch (destination.kind) {
    case 'storage':
      return destination.storage.location;
    case 'file':
      return destination.path;
    case 'stream':
      return 'standard output';
    default:
      return never(destination);
  }
}

function planSummary(plan: CreatePlan, { request, encrypted }: Planned, end: RunEnd): CreateSummary {
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
    encrypted,
    bytes: null,
    leftOut,
    takenOver: { files: 0, bytes: 0 },
    copies: [],
    removed: [],
    counts,
  };
}
