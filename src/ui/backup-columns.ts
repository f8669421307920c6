import { localTime } from '../base/clock.js';
import type { ListedBackup } from '../operations/list-backups.js';
import type { RememberedBackup } from '../operations/remembered-backups.js';
import { shownName } from './display.js';
import { formatAge, formatBytes, formatShortAge } from './format.js';
import type { Brief, Column } from './table.js';

export type BackupRow = ListedBackup | RememberedBackup;

interface ListedRows {
  readonly shown: readonly BackupRow[];
  readonly withForeign: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Names of the sources that are turned on; undefined without an instance. */
  readonly sources: readonly string[] | undefined;
}

export const runOf = (backup: BackupRow): number | undefined => ('run' in backup ? backup.run : undefined);

/** A run that made nothing goes by the number that `bkp log` takes. */
export const nameOf = (backup: BackupRow): string => shownName(backup.id ?? `run ${runOf(backup) ?? ''}`);

/** One row a backup; `now` in milliseconds since 1970. */
export function backupColumns({ shown, now, withForeign, sources }: ListedRows): readonly Column[] {
  const scopes = shown.map((backup) => backup.scopes.map(shownName).join(','));
  const brief = scopes.map((text, at) => (isWhole(shown[at], sources) ? 'all' : text));
  return [
    { title: 'ID', cells: shown.map(nameOf) },
    { title: 'WHEN', drop: { order: 3 }, cells: shown.map(({ time }) => localTime(time)) },
    {
      title: 'AGE',
      brief: { cells: shown.map(({ time }) => formatShortAge(time, now)), order: 4 },
      drop: { order: 11 },
      cells: shown.map(({ time }) => formatAge(time, now)),
    },
    {
      title: 'SIZE',
      drop: { order: 12 },
      align: 'right',
      cells: shown.map(({ file, bytes }) => (file === undefined ? '' : formatBytes(bytes))),
    },
    { title: 'FORMAT', drop: { order: 5 }, cells: shown.map(({ container }) => container ?? '') },
    {
      title: 'SCOPES',
      brief: { cells: brief, order: 1 },
      shrink: { to: 9, order: 8 },
      drop: { order: 10 },
      cells: scopes,
    },
    // It is in the id already.
    { title: 'FROM', drop: { order: 2 }, cells: shown.map(({ origin }) => origin ?? '') },
    {
      title: 'STATUS',
      brief: briefly(
        shown.map(({ status }) => [status]),
        shortStates,
        9,
      ),
      cells: shown.map(({ status }) => status),
    },
    {
      title: 'FLAGS',
      brief: briefly(shown.map(flagsOf), shortFlags, 6),
      drop: { order: 13 },
      cells: shown.map((backup) => flagsOf(backup).join(',')),
    },
    {
      title: 'INSTANCE',
      shrink: { to: 8, order: 7 },
      cells: shown.map(({ instance }) => (withForeign ? shownName(instance ?? '') : '')),
    },
  ];
}

const shortFlags = { locked: 'L', encrypted: 'E', foreign: 'F' } as const;

const shortStates: Readonly<Record<BackupRow['status'], string>> = {
  ok: 'ok',
  incomplete: 'part',
  damaged: 'bad',
  missing: 'gone',
  failed: 'failed',
  unproven: 'doubt',
  unknown: '?',
};

/** Words in a column as short ones, with a legend of those that are there. */
function briefly<Word extends string>(
  cells: readonly (readonly Word[])[],
  short: Readonly<Record<Word, string>>,
  order: number,
): Brief {
  const used = [...new Set(cells.flat())].filter((word) => short[word] !== word);
  const told = used.map((word) => `${short[word]} = ${word}`);
  const legend = told.length === 0 ? {} : { legend: told.join(', ') };
  return { cells: cells.map((cell) => cell.map((word) => short[word]).join('')), order, ...legend };
}

/** It holds all that the instance backs up now. */
function isWhole(backup: BackupRow | undefined, sources: readonly string[] | undefined): boolean {
  if (backup === undefined || sources === undefined || backup.foreign || backup.project !== undefined) return false;
  return backup.scopes.length > 0 && sources.every((name) => backup.includes.includes(name));
}

const flagNames = ['locked', 'encrypted', 'foreign'] as const;

const flagsOf = (backup: BackupRow): readonly (typeof flagNames)[number][] => flagNames.filter((name) => backup[name]);
