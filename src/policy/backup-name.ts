import type { Container } from '../archive/archive.js';

/** A backup's id: UTC time and origin (a schedule's name, `manual` or `safety`): `20251030T120000Z-daily`. */
const idPattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-([a-z][a-z0-9-]{0,31})$/;

export const containerEndings = { zip: '.zip', 'tar.gz': '.tar.gz' } as const satisfies Record<Container, string>;
const containers = ['zip', 'tar.gz'] as const satisfies readonly Container[];

export interface BackupId {
  /** Milliseconds since 1970, whole seconds. */
  readonly time: number;
  readonly origin: string;
}

export function formatBackupId({ time, origin }: BackupId): string {
  const compact = new Date(time).toISOString().slice(0, 19).replace(/[-:]/g, '');
  return `${compact}Z-${origin}`;
}

export function parseBackupId(id: string): BackupId | undefined {
  const match = idPattern.exec(id);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, origin] = match;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // Date.parse takes the 31st of February as NaN, but 24:00:00 as the next day.
  if (origin === undefined || Number.isNaN(time) || formatBackupId({ time, origin }) !== id) return undefined;
  return { time, origin };
}

export const archiveName = (id: string, container: Container): string => `${id}${containerEndings[container]}`;

/** The container that a file's ending names; `.tgz` is a common short form. */
export function containerOf(fileName: string): Container | undefined {
  if (fileName.endsWith('.tgz')) return 'tar.gz';
  return containers.find((container) => fileName.endsWith(containerEndings[container]));
}

/** A file's name without the ending of its container. */
export function withoutEnding(fileName: string): string {
  return fileName.replace(/\.(?:zip|tar\.gz|tgz)$/, '');
}

/** The first id at or after `now` that no archive has, in either container. */
export function freeBackupId(now: number, origin: string, names: readonly string[]): string {
  const taken = new Set(names.map(withoutEnding));
  for (let time = Math.floor(now / 1000) * 1000; ; time += 1000) {
    const id = formatBackupId({ time, origin });
    if (!taken.has(id)) return id;
  }
}
