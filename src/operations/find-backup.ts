import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { formatCount } from '../base/amounts.js';
import { systemClock, type Clock } from '../base/clock.js';
import { BkpError } from '../base/errors.js';
import { archiveName, parseBackupId, withoutEnding } from '../policy/backup-name.js';
import type { Storage } from '../storage/storage.js';
import { fileBackup, storedBackup, type BackupFile } from './backup-file.js';
import { listBackups, type ListedBackup } from './list-backups.js';

export interface BackupReference {
  /** An id, a unique prefix of one, `latest`, `latest:<schedule>`, or a path. */
  readonly reference: string;
  /** Undefined where no instance is known: then only a path can be meant. */
  readonly storage: Storage | undefined;
  readonly instance: string | undefined;
  /** Relative paths begin here. */
  readonly cwd: string;
  /** Archives that a verification found damaged: the latest is none of them. */
  readonly knownBad?: ReadonlySet<string>;
}

/** Finds the one backup that is meant. Rejects with `backup-not-found`, `backup-ambiguous` or `file-not-found`. */
export async function findBackup(
  wanted: BackupReference,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<BackupFile> {
  const { reference, storage, cwd } = wanted;
  const path = resolve(cwd, reference);
  if (storage === undefined) {
    if (existsSync(path)) return fileBackup(path);
    throw new BkpError(
      'file-not-found',
      `there is no file ${path}, and no instance was found whose backup it could be`,
      {
        path,
        hint: 'Pass the path of an archive, or -C with the folder of the instance.',
      },
    );
  }
  if (parseBackupId(reference) !== undefined) return byId(wanted, storage, signal);
  if (isLatest(reference)) return latest(wanted, storage, signal, clock.now());
  if (isFile(path)) return fileBackup(path);
  return byPrefix(wanted, storage, signal);
}

/** Whether the newest one is meant, of all or of a schedule. */
export const isLatest = (reference: string): boolean => reference === 'latest' || reference.startsWith('latest:');

/** A folder is no archive: its name may be the beginning of an id. */
const isFile = (path: string): boolean =>
  existsSync(path) && statSync(path, { throwIfNoEntry: false })?.isFile() === true;

/** An exact id: by file name first, then by what archives say of themselves. */
async function byId(
  { reference, instance }: BackupReference,
  storage: Storage,
  signal: AbortSignal,
): Promise<BackupFile> {
  const named: string[] = [];
  for (const container of ['zip', 'tar.gz'] as const) {
    const name = archiveName(reference, container);
    if ((await storage.stat(name)) !== undefined) named.push(name);
  }
  const [only] = named;
  if (only !== undefined && named.length === 1) return storedBackup(storage, only);
  const matching = (await listBackups(storage, instance, signal)).filter(({ id }) => id === reference);
  return theOne(reference, matching, storage);
}

async function byPrefix(
  { reference, instance }: BackupReference,
  storage: Storage,
  signal: AbortSignal,
): Promise<BackupFile> {
  const all = await listBackups(storage, instance, signal);
  const matching = all.filter(({ id, name }) => name === reference || (reference !== '' && id.startsWith(reference)));
  const exact = matching.filter(({ name }) => name === reference);
  return theOne(reference, exact.length > 0 ? exact : matching, storage);
}

/** Milliseconds by which a clock may have been wrong when a backup was made. */
const clockTolerance = 24 * 60 * 60 * 1000;

/** Only one that says whose it is: what names nobody may have been put there by anybody. Nor one of a time to come. */
async function latest(
  { reference, instance, knownBad }: BackupReference,
  storage: Storage,
  signal: AbortSignal,
  now: number,
): Promise<BackupFile> {
  const schedule = reference.startsWith('latest:') ? reference.slice('latest:'.length) : undefined;
  const own = (await listBackups(storage, instance, signal)).filter(
    ({ foreign, instance: maker, status, time, name }) =>
      !foreign &&
      maker !== undefined &&
      status === 'ok' &&
      time <= now + clockTolerance &&
      knownBad?.has(name) !== true,
  );
  const wanted = own.filter(({ origin }) => (schedule === undefined ? origin !== 'safety' : origin === schedule));
  const [newest] = wanted;
  if (newest !== undefined) return storedBackup(storage, newest.name);
  const which =
    schedule === undefined ? 'complete, undamaged backup' : `complete, undamaged backup of schedule ${schedule}`;
  throw notFound(`there is no ${which} in ${storage.location}`);
}

function theOne(reference: string, matching: readonly ListedBackup[], storage: Storage): BackupFile {
  const [first] = matching;
  if (first === undefined) throw notFound(`there is no backup ${reference} in ${storage.location}`);
  if (matching.length === 1) return storedBackup(storage, first.name);
  const names = matching.map(({ name }) => name);
  const bare = new Set(names.map(withoutEnding));
  // The same backup as zip and as tar.gz can be told apart by the ending only.
  throw ambiguous(reference, bare.size === names.length ? [...bare] : names);
}

const mostNamed = 5;

/** A reference that several backups fit; the first of them are named. */
export function ambiguous(reference: string, fitting: readonly string[]): BkpError {
  const more = fitting.length - mostNamed;
  const named = fitting.slice(0, mostNamed).join(', ');
  const message = `${reference} may be any of: ${named}${more > 0 ? `, and ${formatCount(more)} more` : ''}`;
  return new BkpError('backup-ambiguous', message, { hint: 'Pass more of the id, or the path of the archive.' });
}

const notFound = (message: string): BkpError =>
  new BkpError('backup-not-found', message, { hint: '`bkp list --all` shows what is there.' });
