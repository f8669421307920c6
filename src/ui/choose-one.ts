import type { KeyScreen, Size, Step, TypedKey } from './key-screen.js';
import { visibleRows } from './visible-rows.js';

/** A question with one answer out of several. */
export interface OneOfMany {
  readonly question: string;
  /** What each can be called when it is typed: by its beginning. */
  readonly names: readonly string[];
  /** What such a name is, with its article. */
  readonly called: 'an id' | 'a word';
  /** A line of titles, then one of each, at most so wide where that can be had. */
  readonly table: (width: number) => readonly string[];
  /** What there is to know of one beside its line; '' where there is nothing. */
  readonly more?: (at: number) => string;
  /** The one that Enter alone takes. */
  readonly start: number;
  /** The line that is left of it. */
  readonly tell: (at: number) => string;
}

export interface OneState {
  readonly at: number;
  /** The beginning of a name, or a number from 1. */
  readonly typed: string;
}

/** Which one is meant by what was typed: a number, else the first whose name begins so; undefined where there is none. */
export function typedOne(typed: string, names: readonly string[]): number | undefined {
  const number = /^\d{1,6}$/.test(typed) ? Number(typed) : 0;
  if (number >= 1 && number <= names.length) return number - 1;
  const at = names.findIndex((name) => name.startsWith(typed));
  return at === -1 ? undefined : at;
}

/** Rows beside the table: question, titles, help. */
const otherRows = 3;

/** The list that is scrolled by arrow keys. */
export function oneScreen({
  question,
  names,
  called,
  table,
  more,
  start,
  tell,
}: OneOfMany): KeyScreen<OneState, number> {
  // Thousands of rows are not laid out for every key.
  const laidOut = new Map<number, readonly string[]>();
  const told = more === undefined ? [] : names.map((_, at) => more(at));
  const hasMore = told.some((text) => text !== '');
  return {
    start: { at: start, typed: '' },
    draw: ({ at, typed }, { columns, rows }) => {
      const width = columns - 1 - mark.length;
      const [titles = '', ...lines] = laidOut.get(width) ?? table(width);
      laidOut.set(width, [titles, ...lines]);
      const marked = lines.map((line, row) => `${row === at ? mark : noMark}${line}`);
      if (rows <= otherRows) return visibleRows(marked, at, rows);
      const beside = hasMore && rows > otherRows + 1 ? [told[at] ?? ''] : [];
      const shown = visibleRows(marked, at, rows - otherRows - beside.length);
      return [question, `${noMark}${titles}`, ...shown, ...beside, helpLine({ at, typed }, names, called, columns)];
    },
    press: (state, key, size) => pressOne(state, key, names, size),
    tell,
  };
}

const [mark, noMark] = ['> ', '  '];

function helpLine({ at, typed }: OneState, names: readonly string[], called: string, columns: number): string {
  const place = `${at + 1} of ${names.length}.`;
  const whole = `${place} Up and down, a number or ${called}; Enter takes it, Esc leaves.`;
  if (typed === '') return whole.length < columns ? whole : `${place} Up, down, a number, Enter; Esc leaves`;
  return typedOne(typed, names) === undefined ? `${typed}: there is none that begins so` : `${typed}: Enter takes it`;
}

function pressOne(state: OneState, key: TypedKey, names: readonly string[], { rows }: Size): Step<OneState, number> {
  const { at, typed } = state;
  // One less than there may be: the row that was the last is still there.
  const page = Math.max(1, rows - otherRows - 1);
  const goTo = (to: number): Step<OneState, number> => ({
    kind: 'go-on',
    state: { at: Math.max(0, Math.min(names.length - 1, to)), typed: '' },
  });
  const type = (text: string): Step<OneState, number> => ({
    kind: 'go-on',
    state: { at: typedOne(text, names) ?? at, typed: text },
  });
  switch (key.name) {
    case 'up':
      return goTo(at - 1);
    case 'down':
      return goTo(at + 1);
    case 'pageup':
      return goTo(at - page);
    case 'pagedown':
      return goTo(at + page);
    case 'home':
      return goTo(0);
    case 'end':
      return goTo(names.length - 1);
    case 'backspace':
      return type(typed.slice(0, -1));
    case 'return':
    case 'enter':
      return typedOne(typed, names) === undefined ? { kind: 'go-on', state } : { kind: 'done', answer: at };
    default:
      return /^[\w.:-]$/.test(key.text) ? type(typed + key.text) : { kind: 'go-on', state };
  }
}
