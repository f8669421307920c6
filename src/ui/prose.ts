import type { Look } from './look.js';
import { textWidth } from './text-width.js';

type Width = Pick<Look, 'terminal' | 'width'>;

export interface Wrapping {
  /** Columns before each line but the first. */
  readonly hang?: number;
  /** Parts with blanks in them that are copied as they are: a command, a path. What is in backquotes is one anyway. */
  readonly whole?: readonly string[];
}

/**
 * A text, broken between words where a terminal is narrower: a word wider than the line stands alone. Elsewhere it stays
 * as it is, so that a line can be found and taken apart.
 */
export function proseLines(text: string, { terminal, width }: Width, wrapping: Wrapping = {}): readonly string[] {
  const lines = text.split('\n');
  if (!terminal) return lines;
  const isPart = partsOf(wrapping.whole ?? []);
  return lines.flatMap((line, at) => {
    const indent = /^ */.exec(line)?.[0].length ?? 0;
    return broken(line, isPart, width, at === 0 ? (wrapping.hang ?? indent) : indent + 2);
  });
}

/** An option and the word behind it: copied together. */
const flagged = '(?<![^\\s`(])--?[a-z][\\w-]* (?=[^\\s])';

/** What is never broken, with what clings to it. */
function partsOf(whole: readonly string[]): RegExp {
  const spaced = whole.filter((part) => part.includes(' ')).map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  return new RegExp(`(?:${[...spaced, '`[^`]+`', flagged, '\\S'].join('|')})+`, 'gu');
}

function broken(text: string, parts: RegExp, width: number, hang: number): readonly string[] {
  if (textWidth(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  let end = 0;
  for (const { 0: word, index } of text.matchAll(parts)) {
    const longer = line + text.slice(end, index) + word;
    end = index + word.length;
    if (textWidth(longer) <= width || line.trim() === '') line = longer;
    else {
      lines.push(line);
      // Nearer to the edge rather than broken by the terminal.
      line = ' '.repeat(Math.min(hang, Math.max(0, width - textWidth(word)))) + word;
    }
  }
  return [...lines, line];
}

/** `error: …`: what is said hangs behind its label. */
export const labelledLines = (label: string, text: string, look: Width, whole?: readonly string[]): readonly string[] =>
  proseLines(`${label} ${text}`, look, { hang: textWidth(label) + 1, ...(whole === undefined ? {} : { whole }) });

/** The least room that is worth a column of its own. */
const leastRoom = 20;

/** A word and what is said of it, from column `at` on; below it where there is little room beside it. */
export function itemLines(
  word: string,
  remark: string,
  at: number,
  look: Width,
  wrapping: Pick<Wrapping, 'whole'> = {},
): readonly string[] {
  if (remark === '') return [word];
  const beside = word + ' '.repeat(Math.max(2, at - textWidth(word))) + remark;
  if (!look.terminal || look.width - at >= leastRoom || textWidth(beside) <= look.width) {
    return proseLines(beside, look, { ...wrapping, hang: at });
  }
  const indent = (/^ */.exec(word)?.[0].length ?? 0) + 4;
  const below = proseLines(' '.repeat(indent) + remark, look, { ...wrapping, hang: indent });
  return word === '' ? below : [word, ...below];
}

/** A name and what it is; values without one are left out. */
export type Fact = readonly [name: string, value: string | undefined, kind?: 'whole'];

/** `name   value`, one a line, values below each other. A `whole` one is copied as it is: a command, a path. */
export function factLines(facts: readonly Fact[], look: Width): readonly string[] {
  const told = facts.flatMap(([name, value, kind]) => (value === undefined ? [] : [{ name, value, kind }]));
  const at = Math.max(0, ...told.map(({ name }) => name.length)) + 4;
  return told.flatMap(({ name, value, kind }) =>
    proseLines(`  ${name}`.padEnd(at) + value, look, { hang: at, whole: kind === 'whole' ? [value] : [] }),
  );
}

/** A help page as commander writes it: lines of prose, and of words with what is said of them behind at least two blanks. */
export function helpLines(text: string, look: Width): readonly string[] {
  if (!look.terminal) return [text];
  // What is said of a word may go on below itself; a paragraph is one line.
  const joined = text
    .replace(/^( {2}\S(?:(?! {2}).)*)\n {10,}(?=\S)/gm, '$1  ')
    .replace(/\n {10,}(?=\S)/g, ' ')
    .replace(/(?<=^\S.*)\n(?=\S)/gm, ' ');
  return joined.split('\n').flatMap((line) => {
    const [, word, remark = ''] = /^( {2,}\S.*?) {2,}(\S.*)$/.exec(line) ?? [];
    if (word === undefined) return line.startsWith('  ') ? [line] : proseLines(line, look);
    return itemLines(word, remark, line.length - remark.length, look);
  });
}
