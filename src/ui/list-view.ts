import { localTime } from '../base/clock.js';
import type { ListedBackup } from '../operations/list-backups.js';
import type { RememberedBackup } from '../operations/remembered-backups.js';
import { shownName } from './display.js';
import { counted, formatAge, formatBytes, formatTime } from './format.js';
import type { BackupLine, ListSummary } from './json-lines/list.js';
import type { RunEnd } from './json-lines/run.js';
import type { Look } from './look.js';
import type { View } from './output.js';
import { proseLines } from './prose.js';
import { cutTo, tableLines, type Column } from './table.js';
import { textWidth } from './text-width.js';

type Row = ListedBackup | RememberedBackup;

/** What `list` found, and what of it is to be shown. */
export interface BackupList {
  readonly shown: readonly Row[];
  /** Archives in the storage. */
  readonly all: readonly ListedBackup[];
  readonly withForeign: boolean;
  readonly storage: string;
  readonly instance: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How the user calls bkp for this instance. */
  readonly again: string;
  /** Names of the sources that are turned on; undefined without an instance. */
  readonly sources: readonly string[] | undefined;
}

export function listView(list: BackupList, end: RunEnd): View {
  return {
    findings: [],
    allFindings: '',
    isAnswer: true,
    text: (look) => listText(list, look),
    *json() {
      for (const backup of list.shown) yield backupLine(backup);
      yield listSummary(list, end);
    },
  };
}

function* listText(list: BackupList, look: Look): Iterable<string> {
  const { shown, all, storage, again, withForeign } = list;
  const storageName = shownName(storage);
  if (shown.length > 0) yield* backupTable(list, look);
  if (look.quiet) return;
  const whole = [storageName, `${shownName(again)} create`];
  const tell = (text: string): readonly string[] => proseLines(text, look, { hang: 2, whole });
  if (look.verbose > 0) for (const line of reasons(shown)) yield* tell(line);
  const foreign = all.filter((backup) => backup.foreign).length;
  const own = all.length - foreign;
  const archives = shown.filter(({ file }) => file !== undefined).length;
  if (shown.length > 0) {
    const bytes = shown.reduce((sum, backup) => sum + backup.bytes, 0);
    yield* tell(look.chalk.dim(`${counted(archives, 'backup')}, ${formatBytes(bytes)}, in ${storageName}`));
    for (const line of whereReasonsAre(list, look)) yield* tell(look.chalk.dim(line));
  } else if (own > 0 || (withForeign && foreign > 0)) {
    const backups = counted(withForeign ? all.length : own, 'backup');
    yield* tell(`None of the ${backups} in ${storageName} is what was asked for.`);
  } else {
    yield* tell(`There are no backups in ${storageName}. Make one: ${shownName(again)} create`);
  }
  if (!withForeign && foreign > 0) {
    yield* tell(look.chalk.dim(`${counted(foreign, 'backup')} of other instances left out (--all shows them)`));
  }
}

/** Comments have a column where there is room for all of them, else each a line of its own. */
function backupTable(list: BackupList, { width, chalk }: Look): readonly string[] {
  const columns = backupColumns(list);
  const lines = tableLines(columns, width, chalk.dim);
  const cells = list.shown.map(({ comment }) => shownName(comment ?? ''));
  const taken = Math.max(...lines.map(textWidth)) + gap.length;
  if (Math.max('COMMENT'.length, ...cells.map(textWidth)) <= width - taken)
    return tableLines([...columns, { title: 'COMMENT', cells }], width, chalk.dim);
  return lines.flatMap((line, at) => {
    const comment = cells[at - 1] ?? '';
    if (comment === '') return [line];
    const fits = textWidth(comment) <= width - gap.length;
    return [line, `${gap}${chalk.dim(fits ? comment : `${cutTo(comment, width - gap.length - 1)}…`)}`];
  });
}

const gap = '  ';

/** One row a backup; `now` in milliseconds since 1970. */
export function backupColumns({
  shown,
  now,
  withForeign,
  sources,
}: Pick<BackupList, 'shown' | 'now' | 'withForeign' | 'sources'>): readonly Column[] {
  const scopes = shown.map((backup) => backup.scopes.map(shownName).join(','));
  const brief = scopes.map((text, at) => (isWhole(shown[at], sources) ? 'all' : text));
  return [
    { title: 'ID', cells: shown.map(nameOf) },
    { title: 'WHEN', drop: { order: 3 }, cells: shown.map(({ time }) => localTime(time)) },
    { title: 'AGE', drop: { order: 8 }, cells: shown.map(({ time }) => formatAge(time, now)) },
    {
      title: 'SIZE',
      drop: { order: 9 },
      align: 'right',
      cells: shown.map(({ file, bytes }) => (file === undefined ? '' : formatBytes(bytes))),
    },
    { title: 'FORMAT', drop: { order: 4 }, cells: shown.map(({ container }) => container ?? '') },
    {
      title: 'SCOPES',
      brief: { cells: brief, order: 1 },
      shrink: { to: 9, order: 6 },
      drop: { order: 7 },
      cells: scopes,
    },
    // It is in the id already.
    { title: 'FROM', drop: { order: 2 }, cells: shown.map(({ origin }) => origin ?? '') },
    { title: 'STATUS', cells: shown.map(({ status }) => status) },
    {
      title: 'FLAGS',
      brief: { cells: shown.map((backup) => flags(backup).replace('encrypted', 'encr')), order: 5 },
      drop: { order: 10 },
      cells: shown.map(flags),
    },
    {
      title: 'INSTANCE',
      shrink: { to: 8, order: 5 },
      cells: shown.map(({ instance }) => (withForeign ? shownName(instance ?? '') : '')),
    },
  ];
}

/** It holds all that the instance backs up now. */
function isWhole(backup: Row | undefined, sources: readonly string[] | undefined): boolean {
  if (backup === undefined || sources === undefined || backup.foreign || backup.project !== undefined) return false;
  return backup.scopes.length > 0 && sources.every((name) => backup.includes.includes(name));
}

function flags({ locked, encrypted, foreign }: Row): string {
  const set = { locked, encrypted, foreign };
  return Object.entries(set)
    .filter(([, is]) => is)
    .map(([name]) => name)
    .join(',');
}

function* reasons(shown: readonly Row[]): Iterable<string> {
  for (const backup of shown) {
    const { status: state, reason } = backup;
    const says = state === 'failed' ? state : `is ${state}`;
    if (reason !== undefined) yield `${nameOf(backup)} ${says}: ${shownName(reason)}`;
  }
}

function* whereReasonsAre({ shown, again }: BackupList, { verbose }: Look): Iterable<string> {
  for (const backup of shown.filter(({ status }) => status === 'failed')) {
    yield `\`${shownName(again)} log ${runOf(backup) ?? ''}\` tells why ${nameOf(backup)} failed`;
  }
  const unclear = new Set(shown.flatMap(({ status, reason }) => (reason === undefined ? [] : [status])));
  unclear.delete('failed');
  if (unclear.size > 0 && verbose === 0)
    yield `\`${shownName(again)} list -v\` tells what is ${[...unclear].join(' or ')}, and why`;
}

const runOf = (backup: Row): number | undefined => ('run' in backup ? backup.run : undefined);

/** A run that made nothing goes by the number that `bkp log` takes. */
const nameOf = (backup: Row): string => shownName(backup.id ?? `run ${runOf(backup) ?? ''}`);

function backupLine(backup: Row): BackupLine {
  const { id, file, instance, foreign, time, bytes, container, includes, scopes, origin } = backup;
  const { status: state, locked, encrypted, losses, comment, reason } = backup;
  return {
    type: 'backup',
    id: id ?? null,
    file: file ?? null,
    instance: instance ?? null,
    foreign,
    time: formatTime(time) ?? null,
    bytes,
    format: container ?? null,
    includes,
    scopes,
    origin: origin ?? null,
    status: state,
    locked,
    encrypted,
    losses,
    comment: comment ?? null,
    reason: reason ?? null,
    run: runOf(backup) ?? null,
  };
}

function listSummary({ shown, all, instance, storage }: BackupList, end: RunEnd): ListSummary {
  const foreign = all.filter((backup) => backup.foreign).length;
  const bytes = shown.reduce((sum, backup) => sum + backup.bytes, 0);
  return {
    type: 'summary',
    command: 'list',
    id: null,
    file: null,
    sha256: null,
    complete: null,
    verified: null,
    ...end,
    instance: instance ?? null,
    storage,
    counts: { shown: shown.length, own: all.length - foreign, foreign, bytes },
  };
}
