import type { ManifestSource } from '../manifest/manifest.js';
import { shownName } from './display.js';
import { formatBytes, formatCount } from './format.js';
import type { SourceLine } from './json-lines/source.js';
import type { Look } from './look.js';
import { tableLines } from './table.js';

/** A source in a table: of a plan, of a backup, of a restore. */
export interface SourceRow {
  readonly name: string;
  readonly files: number | undefined;
  readonly bytes: number | undefined;
  readonly cells: Readonly<Record<string, string>>;
}

/** One row a source; `extra` columns by their titles, shown where they fit. */
export function sourceTable(rows: readonly SourceRow[], extra: readonly string[], look: Look): readonly string[] {
  const columns = [
    { title: 'SOURCE', cells: rows.map(({ name }) => shownName(name)) },
    { title: 'FILES', align: 'right' as const, cells: rows.map(({ files }) => orUnknown(files, formatCount)) },
    { title: 'SIZE', align: 'right' as const, cells: rows.map(({ bytes }) => orUnknown(bytes, formatBytes)) },
    ...extra.map((title, at) => ({
      title,
      shrink: { to: 12, order: extra.length - at },
      cells: rows.map(({ cells }) => shownName(cells[title] ?? '')),
    })),
  ];
  return tableLines(columns, look.width, look.chalk.dim);
}

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
