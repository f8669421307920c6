import { closeSync, existsSync, lstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { parseEntryPath } from '../base/entry-path.js';
import { systemCode } from '../base/errors.js';
import { finding, type Finding } from '../manifest/findings.js';
import { fileStat, type FileStat } from '../fs/file-stat.js';
import type { Walked } from '../fs/walk.js';
import { hasSqliteHeader, headerBytes } from '../sqlite/header.js';
import type { WalkFinding } from '../fs/walk-finding.js';
import { sidecarSuffixes, type Reserved, type ResolvedSource } from './resolve-sources.js';
import { leftOutOf, missingFiles, walkSource } from './source-walk.js';

/** A database inside a folder source that an application has open: it has sidecars beside it. */
export interface LiveDatabase {
  readonly entryPath: string;
  readonly absolute: string;
  readonly stat: FileStat;
}

export interface ScannedSource {
  readonly files: number;
  readonly bytes: number;
  readonly live: readonly LiveDatabase[];
  /** What a backup would say of it, as far as a look shows. */
  readonly findings: readonly Finding[];
  /** What the walk itself could not look at, or pass on. */
  readonly unseen: readonly WalkFinding[];
}

/**
 * Lists a folder source once before anything is copied: how much there is, and which SQLite files in it are live. Reads
 * the first bytes of those; the process that will hold the databases has none of them open yet. `see`: told of each entry.
 */
export function scanSource(
  resolved: ResolvedSource,
  excludes: readonly string[],
  reserved: Reserved,
  see: (walked: Walked) => void = () => undefined,
): ScannedSource {
  let files = 0;
  let bytes = 0;
  const live = new Map<string, LiveDatabase>();
  const { name, type } = resolved.source;
  const named = new Set<string>();
  const findings: Finding[] = [];
  const unseen: WalkFinding[] = [];
  const isLeftOut = leftOutOf(resolved.source, excludes);
  for (const walked of walkSource(resolved, excludes, reserved)) {
    see(walked);
    if (type === 'files' && walked.kind !== 'directory') named.add(walked.path);
    if (walked.kind === 'finding') {
      unseen.push(walked);
      findings.push(finding(walked.id, walked.message, { source: name, path: walked.path }));
    }
    if (walked.kind !== 'file') continue;
    bytes += walked.stat.size;
    if (!isSidecar(walked.absolute)) files += 1;
    const suffix = sidecarSuffixes.find((ending) => walked.absolute.endsWith(ending));
    if (suffix === undefined) continue;
    const absolute = walked.absolute.slice(0, -suffix.length);
    const entryPath = walked.path.slice(0, -suffix.length);
    const stat = live.has(absolute) ? undefined : sqliteFile(absolute);
    // One that the user leaves out is not to be waited for.
    if (stat === undefined || isLeftOut(parseEntryPath(entryPath), false)) continue;
    live.set(absolute, { absolute, entryPath, stat });
  }
  for (const { path, message } of missingFiles(resolved, named)) {
    findings.push(finding('source-missing', message, { source: name, path }));
  }
  return { files, bytes, live: [...live.values()], findings, unseen };
}

/** Whether a file that is read just now has become live: it is a database, and has a sidecar that holds part of it. */
export function isLiveNow(absolute: string, head: Uint8Array): boolean {
  if (!hasSqliteHeader(head)) return false;
  return sidecarSuffixes.some((suffix) => existsSync(`${absolute}${suffix}`));
}

/** With SQLite's super-journals: of a transaction over several attached databases (https://sqlite.org/tempfiles.html, 2.5). */
const sidecarName = /-(?:wal|shm|journal|mj[0-9A-F]{6,12})$/;

/** Whether a file belongs to a database beside it, by its name. */
function isSidecar(absolute: string): boolean {
  const name = sidecarName.exec(absolute);
  return name !== null && sqliteFile(absolute.slice(0, name.index)) !== undefined;
}

function sqliteFile(path: string): FileStat | undefined {
  let fd: number | undefined;
  try {
    const stat = lstatSync(path, { bigint: true });
    if (!stat.isFile()) return undefined;
    fd = openSync(path, 'r');
    const head = Buffer.alloc(headerBytes);
    const isSqlite = hasSqliteHeader(head.subarray(0, readSync(fd, head, 0, head.length, 0)));
    return isSqlite ? fileStat(stat) : undefined;
  } catch (error) {
    // What cannot be read is reported when it is its turn.
    if (systemCode(error) === undefined) throw error;
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/**
 * A sidecar that came up after its database was looked at. The bytes of the database were read without it: beside them it
 * would be a journal of another moment, which SQLite plays back. That it vanished is no loss either.
 */
export function isLeftBySqlite(walked: Walked, { source, real }: ResolvedSource): boolean {
  if (walked.kind === 'file') return isSidecar(walked.absolute);
  // Of one with an odd name the shown path leads nowhere, so that it stays a loss.
  const isGone = walked.kind === 'finding' && walked.id === 'file-vanished';
  return isGone && isSidecar(join(real, walked.path.slice(source.name.length)));
}
