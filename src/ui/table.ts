import { textWidth } from './text-width.js';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Displayed as they are: without control characters. */
  readonly cells: readonly string[];
  /** Where all do not fit: cut to this width at the least. Measures are taken in their order, until it fits. */
  readonly shrink?: { readonly to: number; readonly order: number };
  /** Where all do not fit: left out. */
  readonly drop?: { readonly order: number };
}

const gap = '  ';

/** Rows of text in columns, with a line of titles; as wide as it must be, not wider than `width` where that can be had. */
export function tableLines(
  columns: readonly Column[],
  width: number,
  style: (title: string) => string = (title) => title,
): readonly string[] {
  const shown = fitting(
    columns.filter(({ cells }) => cells.some((cell) => cell !== '')),
    width,
  );
  const rows = Math.max(0, ...shown.map(({ column }) => column.cells.length));
  const line = (cellOf: (column: Column) => string): string =>
    shown
      .map((fitted) => fill(cellOf(fitted.column), fitted))
      .join(gap)
      .trimEnd();
  const body = Array.from({ length: rows }, (_, row) => line(({ cells }) => cells[row] ?? ''));
  return [style(line(({ title }) => title)), ...body];
}

interface Fitted {
  readonly column: Column;
  width: number;
}

function fitting(columns: readonly Column[], width: number): readonly Fitted[] {
  let fitted: readonly Fitted[] = columns.map((column) => ({ column, width: naturalWidth(column) }));
  const excess = (): number =>
    fitted.reduce((sum, one) => sum + one.width, 0) + gap.length * (fitted.length - 1) - width;
  const measures = fitted.flatMap((one) => {
    const { shrink, drop } = one.column;
    const cut = (): void => {
      one.width = Math.max(Math.min(one.width, shrink?.to ?? one.width), one.width - excess());
    };
    const leaveOut = (): void => {
      fitted = fitted.filter((other) => other !== one);
    };
    return [
      ...(shrink === undefined ? [] : [{ order: shrink.order, take: cut }]),
      ...(drop === undefined ? [] : [{ order: drop.order, take: leaveOut }]),
    ];
  });
  for (const { take } of measures.sort((x, y) => x.order - y.order)) {
    if (excess() > 0) take();
  }
  return fitted;
}

const naturalWidth = ({ title, cells }: Column): number =>
  Math.max(...[title, ...cells].map((cell) => textWidth(cell)));

function fill(cell: string, { column, width }: Fitted): string {
  const cut = textWidth(cell) <= width ? cell : `${cutTo(cell, width - 1)}…`;
  const padding = ' '.repeat(Math.max(0, width - textWidth(cut)));
  return column.align === 'right' ? padding + cut : cut + padding;
}

/** The beginning of a text, at most `width` columns; not cut within what is seen as one character. */
export function cutTo(text: string, width: number): string {
  let kept = '';
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (textWidth(kept + segment) > width) break;
    kept += segment;
  }
  return kept;
}

/** `name   value`, one a line, values below each other; those without a value are left out. */
export function factLines(facts: readonly (readonly [name: string, value: string | undefined])[]): readonly string[] {
  const told = facts.filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...told.map(([name]) => name.length));
  return told.map(([name, value]) => `  ${name.padEnd(width)}  ${value ?? ''}`);
}
