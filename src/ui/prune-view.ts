import type { PruneResult } from '../operations/prune-backups.js';
import { shownName } from './display.js';
import { counted, formatAge, formatBytes } from './format.js';
import type { DecisionLine, PruneSummary } from './json-lines/prune.js';
import type { RunEnd } from './json-lines/run.js';
import type { Look } from './look.js';
import type { View } from './output.js';
import { proseLines } from './prose.js';
import { tableLines, type Column } from './table.js';

export interface Pruned {
  readonly result: PruneResult;
  readonly dryRun: boolean;
  readonly storage: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What stays, what goes (or went), and why. */
export function pruneView(pruned: Pruned, end: RunEnd): View {
  return {
    findings: [],
    allFindings: '',
    isAnswer: pruned.dryRun,
    text: (look) => pruneText(pruned, look),
    *json() {
      yield* decisionLines(pruned.result);
      yield pruneSummary(pruned, end);
    },
  };
}

function* pruneText({ result, dryRun, storage, now }: Pruned, look: Look): Iterable<string> {
  const { decisions, left } = result;
  const removed = decisions.filter(({ keep }) => !keep);
  if (decisions.length > 0) yield* tableLines(columns(result, dryRun, now, look), look.width, look.chalk.dim);
  if (look.quiet) return;
  const bytes = removed.reduce((sum, { backup }) => sum + backup.bytes, 0);
  const kept = counted(decisions.length - removed.length, 'backup');
  const said = dryRun ? 'would be removed' : 'removed';
  const shown = shownName(storage);
  const nothing = `Nothing to remove: ${kept} in ${shown} ${decisions.length === 1 ? 'stays' : 'stay'}.`;
  const some = `${kept} kept, ${counted(removed.length, 'backup')} (${formatBytes(bytes)}) ${said}.`;
  yield* proseLines(removed.length === 0 ? nothing : some, look, { whole: [shown] });
  if (left > 0) yield* proseLines(`${counted(left, 'more backup')} would be removed by \`bkp prune\`.`, look);
}

function columns({ decisions }: PruneResult, dryRun: boolean, now: number, { chalk }: Look): readonly Column[] {
  const word = (keep: boolean): string => (keep ? 'keep' : chalk.yellow(dryRun ? 'remove' : 'removed'));
  return [
    { title: 'ID', cells: decisions.map(({ backup }) => shownName(backup.id)) },
    { title: 'AGE', drop: { order: 2 }, cells: decisions.map(({ backup }) => formatAge(backup.time, now)) },
    {
      title: 'SIZE',
      drop: { order: 1 },
      align: 'right',
      cells: decisions.map(({ backup }) => formatBytes(backup.bytes)),
    },
    { title: '', cells: decisions.map(({ keep }) => word(keep)) },
    { title: 'WHY', shrink: { to: 20, order: 3 }, cells: decisions.map(({ reasons }) => reasons.join(', ')) },
  ];
}

function decisionLines({ decisions }: PruneResult): readonly DecisionLine[] {
  return decisions.map(({ backup: { id, file, bytes, origin }, keep, reasons }) => ({
    type: 'decision',
    id,
    file,
    bytes,
    origin: origin ?? null,
    keep,
    reasons,
  }));
}

function pruneSummary({ result: { decisions, left }, dryRun }: Pruned, end: RunEnd): PruneSummary {
  const removed = decisions.filter(({ keep }) => !keep);
  return {
    type: 'summary',
    command: 'prune',
    id: null,
    file: null,
    sha256: null,
    complete: null,
    verified: null,
    ...end,
    dryRun,
    counts: {
      kept: decisions.length - removed.length,
      removed: removed.length,
      left,
      removedBytes: removed.reduce((sum, { backup }) => sum + backup.bytes, 0),
    },
  };
}
