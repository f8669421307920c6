import { isPlain, textWidth } from './text-width.js';

/** The same in fewer words, and what those mean where that needs to be said. */
export interface Brief {
  readonly cells: readonly string[];
  readonly order: number;
  readonly legend?: string;
}

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Displayed as they are: without control characters. */
  readonly cells: readonly string[];
  /** Where all do not fit: the same in fewer words. Measures are taken in their order, until it fits. */
  readonly brief?: Brief;
  /** Where all do not fit: cut to this width at the least; paths in their middle, for their ends tell them apart. */
  readonly shrink?: { readonly to: number; readonly order: number; readonly at?: 'end' | 'middle' };
  /** Where all do not fit: left out. */
  readonly drop?: { readonly order: number };
}

const gap = '  ';

/** Rows of text in columns, with a line of titles; as wide as it must be, not wider than `width` where that can be had. */
export function tableLines(
  columns: readonly Column[],
  width: number,
  style?: (title: string) => string,
): readonly string[] {
  return layOut(columns, width, style).lines;
}

export interface Table {
  readonly lines: readonly string[];
  /** Of columns that say it in fewer words. */
  readonly legends: readonly string[];
}

/** The same, with what its short words mean: to be told below it. */
export function layOut(
  columns: readonly Column[],
  width: number,
  style: (title: string) => string = (title) => title,
): Table {
  const shown = fitting(
    columns.filter(({ cells }) => cells.some((cell) => cell !== '')),
    width,
  );
  const rows = Math.max(0, ...shown.map(({ cells }) => cells.length));
  const line = (cellOf: (fitted: Fitted) => string): string =>
    shown
      .map((fitted) => fill(cellOf(fitted), fitted))
      .join(gap)
      .trimEnd();
  const body = Array.from({ length: rows }, (_, row) => line(({ cells }) => cells[row] ?? ''));
  const legends = shown.flatMap(({ legend }) => (legend === undefined ? [] : [legend]));
  return { lines: [style(line(({ column }) => column.title)), ...body], legends };
}

interface Fitted {
  readonly column: Column;
  cells: readonly string[];
  width: number;
  legend?: string | undefined;
}

function fitting(columns: readonly Column[], width: number): readonly Fitted[] {
  let fitted: readonly Fitted[] = columns.map((column) => {
    const { title, cells } = column;
    return { column, cells, width: naturalWidth(title, cells) };
  });
  const excess = (): number =>
    fitted.reduce((sum, one) => sum + one.width, 0) + gap.length * (fitted.length - 1) - width;
  const leaveOut = (one: Fitted): void => {
    fitted = fitted.filter((other) => other !== one);
  };
  const measures = fitted.flatMap((one) => measuresOf(one, excess, leaveOut));
  for (const { take } of measures.sort((x, y) => x.order - y.order)) {
    if (excess() > 0) take();
  }
  // What was cut before another column was left out may have its room.
  for (const one of fitted) {
    if (excess() < 0) one.width = Math.min(naturalWidth(one.column.title, one.cells), one.width - excess());
  }
  return fitted;
}

interface Measure {
  readonly order: number;
  readonly take: () => void;
}

function measuresOf(one: Fitted, excess: () => number, leaveOut: (one: Fitted) => void): readonly Measure[] {
  const { title, brief, shrink, drop } = one.column;
  const saySo = ({ cells, legend }: Brief): void => {
    one.cells = cells;
    one.legend = legend;
    one.width = naturalWidth(title, cells);
  };
  const cut = (to: number): void => {
    one.width = Math.max(Math.min(one.width, to), one.width - excess());
  };
  return [
    ...(brief === undefined ? [] : [{ order: brief.order, take: () => saySo(brief) }]),
    ...(shrink === undefined ? [] : [{ order: shrink.order, take: () => cut(shrink.to) }]),
    ...(drop === undefined ? [] : [{ order: drop.order, take: () => leaveOut(one) }]),
  ];
}

const naturalWidth = (title: string, cells: readonly string[]): number =>
  Math.max(...[title, ...cells].map((cell) => textWidth(cell)));

function fill(cell: string, { column, width }: Fitted): string {
  const shorten = column.shrink?.at === 'middle' ? withoutMiddle : withoutEnd;
  const whole = textWidth(cell);
  const cut = whole <= width ? cell : shorten(cell, width);
  const padding = ' '.repeat(Math.max(0, width - (whole <= width ? whole : textWidth(cut))));
  return column.align === 'right' ? padding + cut : cut + padding;
}

const withoutEnd = (text: string, width: number): string => `${cutTo(text, width - 1)}…`;

/** A third of the room for the beginning, the rest for the end: of a path that tells more. */
function withoutMiddle(text: string, width: number): string {
  const head = cutTo(text, Math.floor((width - 1) / 3));
  const backwards = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment).toReversed();
  let tail = '';
  for (const segment of backwards) {
    if (textWidth(head + segment + tail) > width - 1) break;
    tail = segment + tail;
  }
  return `${head}…${tail}`;
}

/** The beginning of a text, at most `width` columns; not cut within what is seen as one character. */
export function cutTo(text: string, width: number): string {
  if (isPlain(text)) return text.slice(0, Math.max(0, width));
  let kept = '';
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (textWidth(kept + segment) > width) break;
    kept += segment;
  }
  return kept;
}
