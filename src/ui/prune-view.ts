import type { PruneResult } from '../operations/prune-backups.js';
import { shownName } from './display.js';
import { counted, formatAge, formatBytes, formatShortAge } from './format.js';
import type { DecisionLine, PruneSummary } from './json-lines/prune.js';
import type { RunEnd } from './json-lines/run.js';
import type { Look } from './look.js';
import type { View } from './output.js';
import { itemLines, proseLines } from './prose.js';
import { tableLines, type Column } from './table.js';
import { textWidth } from './text-width.js';

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

function* pruneText(pruned: Pruned, look: Look): Iterable<string> {
  const { result, dryRun, storage } = pruned;
  const { decisions, left } = result;
  const removed = decisions.filter(({ keep }) => !keep);
  if (decisions.length > 0) yield* decisionTable(pruned, look);
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

/** A row each, with the reasons beside it: broken rather than cut, or below it where there is no room. */
function* decisionTable({ result: { decisions }, dryRun, now }: Pruned, look: Look): Iterable<string> {
  const { chalk } = look;
  const word = (keep: boolean): string => (keep ? 'keep' : chalk.yellow(dryRun ? 'remove' : 'removed'));
  const columns: readonly Column[] = [
    { title: 'ID', cells: decisions.map(({ backup }) => shownName(backup.id)) },
    {
      title: 'AGE',
      brief: { order: 1, cells: decisions.map(({ backup }) => formatShortAge(backup.time, now)) },
      drop: { order: 3 },
      cells: decisions.map(({ backup }) => formatAge(backup.time, now)),
    },
    {
      title: 'SIZE',
      align: 'right',
      drop: { order: 2 },
      cells: decisions.map(({ backup }) => formatBytes(backup.bytes)),
    },
    { title: '', cells: decisions.map(({ keep }) => word(keep)) },
  ];
  const whole = decisions.map(({ reasons }) => reasons.join(', '));
  const widest = widthOf(whole);
  const room = look.terminal ? look.width : Infinity;
  const beside = tableLines(columns.map(withoutDrop), room - widest - 2);
  const fits = widthOf(beside) + 2 + widest <= room;
  const shortest = fits ? beside : tableLines(columns.map(withoutDrop), 0);
  const [titles = '', ...rows] = widthOf(shortest) <= room ? shortest : tableLines(columns, room);
  const at = widthOf([titles, ...rows]) + 2;
  yield chalk.dim(at + 'WHY'.length <= room ? `${titles.padEnd(at)}WHY` : titles);
  const reasonsOf = fits ? whole : decisions.map(({ reasons }) => reasons.map(shortReason).join(', '));
  for (const [row, line] of rows.entries()) yield* itemLines(line, reasonsOf[row] ?? '', at, look);
  if (fits || look.quiet) return;
  const shortened = new Set(decisions.flatMap(({ reasons }) => reasons.filter((one) => shortReason(one) !== one)));
  for (const reason of shortened) yield* proseLines(chalk.dim(reason), look, { hang: 2 });
}

const withoutDrop = ({ drop: _, ...column }: Column): Column => column;

const widthOf = (lines: readonly string[]): number => Math.max(0, ...lines.map(textWidth));

/** What is behind the colon is told once. */
const shortReason = (reason: string): string => reason.replace(/: .*/, '');

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
