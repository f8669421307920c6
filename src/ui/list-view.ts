import type { ListedBackup } from '../operations/list-backups.js';
import type { RememberedBackup } from '../operations/remembered-backups.js';
import { shownName } from './display.js';
import { counted, formatAge, formatBytes, formatTime } from './format.js';
import type { BackupLine, ListSummary } from './json-lines/list.js';
import type { RunEnd } from './json-lines/run.js';
import type { Look } from './look.js';
import type { View } from './output.js';
import { tableLines, type Column } from './table.js';

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
  if (shown.length > 0) yield* tableLines(backupColumns(list), look.width, look.chalk.dim);
  if (look.quiet) return;
  if (look.verbose > 0) yield* reasons(shown);
  const foreign = all.filter((backup) => backup.foreign).length;
  const own = all.length - foreign;
  const archives = shown.filter(({ file }) => file !== undefined).length;
  if (shown.length > 0) {
    const bytes = shown.reduce((sum, backup) => sum + backup.bytes, 0);
    yield look.chalk.dim(`${counted(archives, 'backup')}, ${formatBytes(bytes)}, in ${storageName}`);
  } else if (own > 0 || (withForeign && foreign > 0)) {
    yield `None of the ${counted(withForeign ? all.length : own, 'backup')} in ${storageName} is what was asked for.`;
  } else {
    yield `There are no backups in ${storageName} yet. Make one: ${shownName(again)} create`;
  }
  if (!withForeign && foreign > 0) {
    yield look.chalk.dim(`${counted(foreign, 'backup')} of other instances left out (--all shows them)`);
  }
}

/** One row a backup; `now` in milliseconds since 1970. */
export function backupColumns({
  shown,
  now,
  withForeign,
}: Pick<BackupList, 'shown' | 'now' | 'withForeign'>): readonly Column[] {
  return [
    { title: 'ID', cells: shown.map(nameOf) },
    { title: 'WHEN', drop: { order: 1 }, cells: shown.map(({ time }) => when(time)) },
    { title: 'AGE', drop: { order: 7 }, cells: shown.map(({ time }) => formatAge(time, now)) },
    {
      title: 'SIZE',
      drop: { order: 8 },
      align: 'right',
      cells: shown.map(({ file, bytes }) => (file === undefined ? '' : formatBytes(bytes))),
    },
    { title: 'FORMAT', drop: { order: 5 }, cells: shown.map(({ container }) => container ?? '') },
    {
      title: 'SCOPES',
      shrink: { to: 9, order: 4 },
      drop: { order: 6 },
      cells: shown.map(({ scopes }) => scopes.map(shownName).join(',')),
    },
    // It is in the id already.
    { title: 'FROM', drop: { order: 2 }, cells: shown.map(({ origin }) => origin ?? '') },
    { title: 'STATUS', cells: shown.map(({ status }) => status) },
    { title: 'FLAGS', drop: { order: 9 }, cells: shown.map(flags) },
    {
      title: 'INSTANCE',
      shrink: { to: 8, order: 3 },
      cells: shown.map(({ instance }) => (withForeign ? shownName(instance ?? '') : '')),
    },
  ];
}

/** To the minute, in UTC as the ids are. */
const when = (time: number): string => formatTime(time)?.slice(0, 16).replace('T', ' ').concat('Z') ?? '';

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

const runOf = (backup: Row): number | undefined => ('run' in backup ? backup.run : undefined);

/** A run that made nothing goes by the number that `bkp log` takes. */
const nameOf = (backup: Row): string => shownName(backup.id ?? `run ${runOf(backup) ?? ''}`);

function backupLine(backup: Row): BackupLine {
  const { id, file, instance, foreign, time, bytes, container, includes, scopes, origin } = backup;
  const { status: state, locked, encrypted, losses, reason } = backup;
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
