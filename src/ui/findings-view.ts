import { never } from '../base/errors.js';
import { findingInfo, ofKind, type Finding, type FindingKind } from '../manifest/findings.js';
import { shownName } from './display.js';
import { counted } from './format.js';
import type { FindingLine } from './json-lines/finding.js';
import type { Look } from './look.js';
import { labelledLines, proseLines } from './prose.js';

/** More than these would bury what they are about. */
const mostShown = 20;

/** Lines about what was found: damage, losses and faults by name, notes by name only with `-v`. `-q` leaves out notes. */
export function findingLines(findings: readonly Finding[], allFindings: string, look: Look): readonly string[] {
  const grave = [...ofKind(findings, 'damage'), ...ofKind(findings, 'loss'), ...ofKind(findings, 'fault')];
  const notes = look.quiet ? [] : ofKind(findings, 'note');
  const lines = some(grave, allFindings, look);
  if (look.verbose > 0) return [...lines, ...some(notes, allFindings, look)];
  return notes.length === 0 ? lines : [...lines, look.chalk.dim(`${counted(notes.length, 'note')} (-v shows them)`)];
}

function some(findings: readonly Finding[], allFindings: string, look: Look): readonly string[] {
  const lines = findings.slice(0, mostShown).flatMap((finding) => findingTexts(finding, look));
  const more = findings.length - mostShown;
  if (more <= 0) return lines;
  return [...lines, ...proseLines(`and ${counted(more, 'more', 'more')} (see ${allFindings})`, look, { hang: 2 })];
}

export function findingTexts({ kind, id, path, message }: Finding, look: Look): readonly string[] {
  const shown = path === undefined ? undefined : shownName(path);
  const text = `${shown === undefined ? '' : `${shown}: `}${shownName(message)} ${look.chalk.dim(`(${id})`)}`;
  return labelledLines(kindWord(kind, look), text, look, shown === undefined ? [] : [shown]);
}

function kindWord(kind: FindingKind, { chalk }: Look): string {
  switch (kind) {
    case 'damage':
      return chalk.red.bold('damage:');
    case 'loss':
    case 'fault':
      return chalk.yellow.bold('warning:');
    case 'note':
      return chalk.cyan('note:');
    default:
      return never(kind);
  }
}

export function findingLine(finding: Finding, file: string | undefined): FindingLine {
  const { kind, id, source, path, message } = finding;
  const { title } = findingInfo[id];
  return {
    type: 'finding',
    file: file ?? null,
    kind,
    id,
    title,
    source: source ?? null,
    path: path ?? null,
    message,
  };
}

/** For summaries. */
export function findingCounts(findings: readonly Finding[]): { readonly losses: number; readonly notes: number } {
  return { losses: ofKind(findings, 'loss').length, notes: ofKind(findings, 'note').length };
}
