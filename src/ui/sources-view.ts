import type { ManifestSource } from '../manifest/manifest.js';
import { shownName } from './display.js';
import { formatBytes, formatCount } from './format.js';
import type { SourceLine } from './json-lines/source.js';
import type { Look } from './look.js';
import { tableLines, type Column } from './table.js';

/** A source in a table: of a plan, of a backup, of a restore. */
export interface SourceRow {
  readonly name: string;
  readonly files: number | undefined;
  readonly bytes: number | undefined;
}

/** One row a source; `extra`: what else is told of each, in the same order. */
export function sourceTable(rows: readonly SourceRow[], extra: readonly Column[], look: Look): readonly string[] {
  const columns: readonly Column[] = [
    { ...sourceColumn, cells: rows.map(({ name }) => shownName(name)) },
    { title: 'FILES', align: 'right', cells: rows.map(({ files }) => orUnknown(files, formatCount)) },
    { title: 'SIZE', align: 'right', cells: rows.map(({ bytes }) => orUnknown(bytes, formatBytes)) },
    ...extra,
  ];
  return tableLines(columns, look.width, look.chalk.dim);
}

/** By its name alone a source is told from others: it is cut last. */
export const sourceColumn = { title: 'SOURCE', shrink: { to: 16, order: 9 } } as const;

export const scopeColumn = (cells: readonly string[]): Column => ({
  title: 'SCOPE',
  cells: cells.map(shownName),
  drop: { order: 8 },
});

/** Paths, as they are to be shown. */
export const pathColumn = (title: string, cells: readonly string[]): Column => ({
  title,
  cells: cells.map(shownName),
  shrink: { to: 12, order: 7, at: 'middle' },
});

const orUnknown = (number: number | undefined, format: (number: number) => string): string =>
  number === undefined ? '?' : format(number);

/** A source as the manifest has it. */
export function recordedSourceLine(source: ManifestSource): SourceLine {
  const { name, type, scope, path, files, bytes, sqlite, databases } = source;
  return {
    type: 'source',
    name,
    sourceType: type,
    scope: scope ?? null,
    path,
    place: null,
    selected: true,
    files,
    bytes,
    database: sqlite ?? null,
    liveDatabases: Object.keys(databases ?? {}),
  };
}
