import type { ListedBackup } from '../operations/list-backups.js';
import { backupColumns, nameOf, runOf, type BackupRow } from './backup-columns.js';
import { shownName } from './display.js';
import { counted, formatBytes, formatTime } from './format.js';
import type { BackupLine, ListSummary } from './json-lines/list.js';
import type { RunEnd } from './json-lines/run.js';
import type { Look } from './look.js';
import type { View } from './output.js';
import { proseLines } from './prose.js';
import { cutTo, layOut, type Table } from './table.js';
import { textWidth } from './text-width.js';

/** What `list` found, and what of it is to be shown. */
export interface BackupList {
  readonly shown: readonly BackupRow[];
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
  const { lines, legends } = shown.length > 0 ? backupTable(list, look) : { lines: [], legends: [] };
  yield* lines;
  if (look.quiet) return;
  const whole = [storageName, `${shownName(again)} create`];
  const tell = (text: string): readonly string[] => proseLines(text, look, { hang: 2, whole });
  if (legends.length > 0) yield* tell(look.chalk.dim(legends.join(', ')));
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
function backupTable(list: BackupList, { width, chalk }: Look): Table {
  const columns = backupColumns(list);
  const { lines, legends } = layOut(columns, width, chalk.dim);
  const cells = list.shown.map(({ comment }) => shownName(comment ?? ''));
  const taken = Math.max(...lines.map(textWidth)) + gap.length;
  if (Math.max('COMMENT'.length, ...cells.map(textWidth)) <= width - taken)
    return layOut([...columns, { title: 'COMMENT', cells }], width, chalk.dim);
  const commented = lines.flatMap((line, at) => {
    const comment = cells[at - 1] ?? '';
    if (comment === '') return [line];
    const fits = textWidth(comment) <= width - gap.length;
    return [line, `${gap}${chalk.dim(fits ? comment : `${cutTo(comment, width - gap.length - 1)}…`)}`];
  });
  return { lines: commented, legends };
}

const gap = '  ';

function* reasons(shown: readonly BackupRow[]): Iterable<string> {
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

function backupLine(backup: BackupRow): BackupLine {
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
