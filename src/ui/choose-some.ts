import { shownName } from './display.js';
import { counted, formatBytes, formatCount } from './format.js';
import type { KeyScreen, Step, TypedKey } from './key-screen.js';
import { tableLines } from './table.js';
import { visibleRows } from './visible-rows.js';

/** A source that can be chosen. */
export interface ChosenSource {
  readonly name: string;
  readonly scope: string;
  /** Undefined where nobody tells. */
  readonly files: number | undefined;
  readonly bytes: number | undefined;
  /** Whether it is chosen before anybody says so. */
  readonly on: boolean;
  /** What there is to know of it. */
  readonly note: string;
}

/** A question after some sources. */
export interface SomeOfMany {
  readonly question: string;
  readonly sources: readonly ChosenSource[];
}

/** A line to turn on and off: a source, or all of a scope. */
interface Row {
  readonly label: string;
  readonly members: readonly number[];
}

export interface SomeState {
  readonly at: number;
  readonly on: ReadonlySet<number>;
  /** Nothing was chosen, and Enter pressed. */
  readonly isEmpty: boolean;
}

/** Scopes in the order of their first source; those with more than one have a line of their own above it. */
export function rowsOf(sources: readonly ChosenSource[]): readonly Row[] {
  const scopes = [...new Set(sources.map(({ scope }) => scope))];
  return scopes.flatMap((scope) => {
    const members = sources.flatMap((source, at) => (source.scope === scope ? [at] : []));
    const indent = members.length > 1 ? '  ' : '';
    const lines = members.map((at) => ({ label: `${indent}${shownName(sources[at]?.name ?? '')}`, members: [at] }));
    return members.length > 1 ? [{ label: `all ${shownName(scope)}`, members }, ...lines] : lines;
  });
}

export const startingWith = (sources: readonly ChosenSource[]): ReadonlySet<number> =>
  new Set(sources.flatMap(({ on }, at) => (on ? [at] : [])));

/** Turned off where all are on, else on. */
export function toggled(on: ReadonlySet<number>, members: readonly number[]): ReadonlySet<number> {
  const all = members.every((at) => on.has(at));
  return new Set(all ? [...on].filter((at) => !members.includes(at)) : [...on, ...members]);
}

/** One line each, below a line of titles. */
export function someTable(sources: readonly ChosenSource[], on: ReadonlySet<number>, width: number): readonly string[] {
  const rows = rowsOf(sources);
  const total = (members: readonly number[], of: 'files' | 'bytes'): number | undefined =>
    members.reduce<number | undefined>((sum, at) => {
      const more = sources[at]?.[of];
      return sum === undefined || more === undefined ? undefined : sum + more;
    }, 0);
  const shown = (number: number | undefined, format: (number: number) => string): string =>
    number === undefined ? '?' : format(number);
  const single = (of: (source: ChosenSource) => string): readonly string[] =>
    rows.map(({ members: [at = 0], members }) => {
      const source = sources[at];
      return members.length > 1 || source === undefined ? '' : shownName(of(source));
    });
  const columns = [
    { title: 'NR', align: 'right' as const, cells: rows.map((_, row) => String(row + 1)) },
    { title: '', cells: rows.map(({ members }) => box(on, members)) },
    { title: 'SOURCE', shrink: { to: 8, order: 4 }, cells: rows.map(({ label }) => label) },
    {
      title: 'FILES',
      align: 'right' as const,
      drop: { order: 2 },
      cells: rows.map(({ members }) => shown(total(members, 'files'), formatCount)),
    },
    {
      title: 'SIZE',
      align: 'right' as const,
      drop: { order: 5 },
      cells: rows.map(({ members }) => shown(total(members, 'bytes'), formatBytes)),
    },
    { title: 'SCOPE', drop: { order: 1 }, cells: single(({ scope }) => scope) },
    { title: 'NOTE', shrink: { to: 8, order: 3 }, cells: single(({ note }) => note) },
  ];
  return tableLines(columns, width);
}

function box(on: ReadonlySet<number>, members: readonly number[]): string {
  const count = members.filter((at) => on.has(at)).length;
  return count === 0 ? '[ ]' : count === members.length ? '[x]' : '[-]';
}

/** Rows beside the table: question, titles, what is chosen, help. */
const otherRows = 4;

/** The list in which sources are turned on and off. */
export function someScreen({ question, sources }: SomeOfMany): KeyScreen<SomeState, ReadonlySet<number>> {
  const rows = rowsOf(sources);
  return {
    start: { at: 0, on: startingWith(sources), isEmpty: false },
    draw: ({ at, on, isEmpty }, { columns, rows: height }) => {
      const [titles = '', ...lines] = someTable(sources, on, columns - 1 - mark.length);
      const marked = lines.map((line, row) => `${row === at ? mark : noMark}${line}`);
      if (height <= otherRows) return visibleRows(marked, at, height);
      const shown = visibleRows(marked, at, height - otherRows);
      const help = [
        'Space turns one on or off, "a" all of them; Enter goes on, Esc leaves.',
        'Space on/off, a all, Enter goes on, Esc leaves',
      ].find(({ length }) => length < columns);
      const told = isEmpty && on.size === 0 ? nothingChosen : chosenText(sources, on);
      return [question, `${noMark}${titles}`, ...shown, told, help ?? 'Space, Enter, Esc'];
    },
    press: (state, key) => pressSome(state, key, rows),
    tell: (on) => chosenText(sources, on),
  };
}

const [mark, noMark] = ['> ', '  '];

export const nothingChosen = 'Nothing is chosen: turn one on.';

export function chosenText(sources: readonly ChosenSource[], on: ReadonlySet<number>): string {
  const chosen = sources.filter((_, at) => on.has(at));
  const bytes = chosen.reduce((sum, source) => sum + (source.bytes ?? 0), 0);
  const names = chosen.map(({ name }) => shownName(name)).join(', ');
  return `${counted(chosen.length, 'source')}, ${formatBytes(bytes)}${names === '' ? '' : `: ${names}`}`;
}

function pressSome(state: SomeState, key: TypedKey, rows: readonly Row[]): Step<SomeState, ReadonlySet<number>> {
  const { at, on } = state;
  const goTo = (to: number): Step<SomeState, ReadonlySet<number>> => ({
    kind: 'go-on',
    state: { ...state, at: Math.max(0, Math.min(rows.length - 1, to)) },
  });
  const turn = (members: readonly number[]): Step<SomeState, ReadonlySet<number>> => ({
    kind: 'go-on',
    state: { at, on: toggled(on, members), isEmpty: false },
  });
  switch (key.name) {
    case 'up':
      return goTo(at - 1);
    case 'down':
      return goTo(at + 1);
    case 'home':
      return goTo(0);
    case 'end':
      return goTo(rows.length - 1);
    case 'space':
      return turn(rows[at]?.members ?? []);
    case 'a':
      return turn(rows.flatMap(({ members }) => members));
    case 'return':
    case 'enter':
      return on.size > 0 ? { kind: 'done', answer: on } : { kind: 'go-on', state: { ...state, isEmpty: true } };
    default:
      return /^[1-9]$/.test(key.text) ? goTo(Number(key.text) - 1) : { kind: 'go-on', state };
  }
}
