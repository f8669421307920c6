import { recordedTime } from '../base/clock.js';
import { ofKind } from '../manifest/findings.js';
import type { FoundManifest, ManifestSource } from '../manifest/manifest.js';
import type { ArchiveChecksum } from '../operations/archive-checksum.js';
import type { ShowResult } from '../operations/show-backup.js';
import { shownName } from './display.js';
import { encryptionText } from './encryption-text.js';
import { entryLine, entryTexts } from './entries-view.js';
import { findingLine, findingTexts } from './findings-view.js';
import { counted, formatAge, formatBytes } from './format.js';
import type { RunEnd } from './json-lines/run.js';
import type { ShowSummary } from './json-lines/show.js';
import type { Look } from './look.js';
import type { View } from './output.js';
import { factLines, proseLines, type Fact } from './prose.js';
import { pathColumn, recordedSourceLine, scopeColumn, sourceTable } from './sources-view.js';
import type { Column } from './table.js';

/** Everything a backup says of itself; its findings are part of the answer. `now`: milliseconds since 1970. */
export function showView(result: ShowResult, id: string, now: number, end: RunEnd): View {
  const { file, manifest, findings, entries } = result;
  return {
    findings: [],
    allFindings: '',
    isAnswer: true,
    text: (look) => (entries === undefined ? showText(result, id, now, look) : entryTexts(entries)),
    *json() {
      for (const source of manifest.sources ?? []) yield recordedSourceLine(source);
      for (const finding of findings) yield findingLine(finding, file);
      for (const entry of entries ?? []) yield entryLine(entry);
      yield showSummary(result, id, end);
    },
  };
}

function* showText(result: ShowResult, id: string, now: number, look: Look): Iterable<string> {
  const { manifest, findings, file, bytes, container, sha256 } = result;
  const { chalk } = look;
  yield `${chalk.bold(shownName(id))}  ${completeness(manifest, look)}`;
  const totals = manifest.totals;
  const content =
    totals === undefined ? '' : ` (${counted(totals.files, 'file')}, ${formatBytes(totals.bytes)} of content)`;
  const facts: readonly Fact[] = [
    ['made', `${shownName(recordedTime(manifest.generatedAt))} (${formatAge(Date.parse(manifest.generatedAt), now)})`],
    ['instance', shown(manifest.instance)],
    ['root', shown(manifest.root), 'whole'],
    ['host', shown(manifest.host)],
    ['comment', shown(manifest.comment)],
    ['by', maker(manifest)],
    ['file', shownName(file), 'whole'],
    ['size', `${formatBytes(bytes)} ${container}${content}`],
    ['encrypted', encryptionText(manifest.encryption)],
    ['sha256', sha256 ?? 'no .sha256 beside it (--checksum computes it)'],
    ['left out', list(manifest.excludes)],
  ];
  yield* factLines(facts, look);
  yield '';
  if (manifest.sources === undefined) {
    yield* proseLines(`holds  ${manifest.includes.map(shownName).join(', ')}`, look, { hang: 7 });
  } else yield* sourceTable(manifest.sources, recordedColumns(manifest.sources), look);
  if (findings.length === 0) return;
  yield '';
  for (const finding of findings) yield* findingTexts(finding, look);
}

function completeness(manifest: FoundManifest, { chalk }: Look): string {
  if (manifest.complete === undefined) return chalk.yellow('made by another tool');
  if (manifest.complete) return chalk.green('complete');
  const losses = ofKind(manifest.findings ?? [], 'loss').length;
  return chalk.yellow.bold(`INCOMPLETE (${counted(losses, 'loss', 'losses')})`);
}

const shown = (text: string | null | undefined): string | undefined =>
  text === null || text === undefined ? undefined : shownName(text);

const list = (names: readonly string[] | undefined): string | undefined =>
  names === undefined || names.length === 0 ? undefined : names.map(shownName).join(', ');

function maker({ generator, version }: FoundManifest): string {
  const tool = generator === undefined ? 'another tool' : `${generator.name} ${generator.version}`;
  return shownName(`${tool}, format ${version}`);
}

function recordedColumns(sources: readonly ManifestSource[]): readonly Column[] {
  const short = sources.map(databaseText);
  return [
    scopeColumn(sources.map(({ scope }) => scope ?? '')),
    pathColumn(
      'PATH',
      sources.map(({ path }) => path),
    ),
    {
      title: 'DATABASE',
      cells: short.map((text, at) => (sources[at]?.sqlite === undefined ? text : `integrity ${text}`)),
      brief: { order: 1, cells: short },
      drop: { order: 10 },
    },
  ];
}

function databaseText({ sqlite, databases }: ManifestSource): string {
  if (sqlite !== undefined) return `${sqlite.integrity}, ${sqlite.journalMode}`;
  const inside = Object.keys(databases ?? {}).length;
  return inside === 0 ? '' : `${inside} inside`;
}

const unknown = {
  complete: null,
  sha256: null,
  sha256From: null,
  format: null,
  bytes: null,
  formatVersion: null,
  generatedAt: null,
  generator: null,
  instance: null,
  root: null,
  host: null,
  schedule: null,
  comment: null,
  includes: null,
  excludes: null,
  encrypted: null,
  totals: null,
} as const;

function showSummary(result: ShowResult, id: string, end: RunEnd): ShowSummary {
  const { manifest, file, bytes, container, sha256 } = result;
  const { generator } = manifest;
  return {
    type: 'summary',
    command: 'show',
    id,
    file,
    ...unknown,
    sha256: sha256 ?? null,
    sha256From: sha256 === undefined ? null : 'side-file',
    complete: manifest.complete ?? null,
    verified: null,
    ...end,
    format: container,
    bytes,
    formatVersion: manifest.version,
    generatedAt: manifest.generatedAt,
    generator: generator === undefined ? null : { name: generator.name, version: generator.version },
    instance: manifest.instance ?? null,
    root: manifest.root ?? null,
    host: manifest.host ?? null,
    schedule: manifest.schedule ?? null,
    comment: manifest.comment ?? null,
    includes: manifest.includes,
    excludes: manifest.excludes ?? null,
    encrypted: manifest.encryption.enabled,
    totals: manifest.totals ?? null,
  };
}

/** `show --file` and `show --checksum`: one value on a line of its own, as it is, for scripts. */
export function showValueView(file: string, checksum: ArchiveChecksum | undefined, end: RunEnd): View {
  const summary: ShowSummary = {
    type: 'summary',
    command: 'show',
    id: null,
    file,
    verified: null,
    ...unknown,
    ...end,
    ...(checksum === undefined ? {} : { sha256: checksum.sha256, sha256From: checksum.from }),
  };
  const remark = `no readable .sha256 lies beside ${file}: computed from its bytes`;
  return {
    findings: [],
    allFindings: '',
    ...(checksum?.from === 'computed' ? { remark } : {}),
    isAnswer: true,
    // A path that is escaped could not be opened.
    text: (look) => [checksum?.sha256 ?? (look.terminal ? shownName(file) : file)],
    json: () => [summary],
  };
}
