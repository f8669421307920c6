import { lstatSync } from 'node:fs';
import type { Finding } from '../manifest/findings.js';
import type { CreateRequest } from './create-request.js';
import type { Deps } from './deps.js';
import { withoutExcluded } from './excluded-sources.js';
import { scanSource } from './live-databases.js';
import { Reserved, resolveSources, sidecarSuffixes, type ResolvedSource } from './resolve-sources.js';
import type { Source } from './source.js';

export interface PlannedBackupSource {
  readonly name: string;
  readonly type: Source['type'];
  readonly scope: string;
  /** A real path. */
  readonly path: string;
  readonly files: number;
  readonly bytes: number;
  /** Databases inside a folder that an application has open: by their paths in the archive. */
  readonly liveDatabases: readonly string[];
}

/** What a backup would hold. */
export interface CreatePlan {
  readonly sources: readonly PlannedBackupSource[];
  readonly leftOut: readonly string[];
  readonly files: number;
  readonly bytes: number;
  readonly findings: readonly Finding[];
}

/** Looks at the sources as `createBackup` would, without opening a database and without writing anything. */
export function planCreate(wanted: CreateRequest, deps: Deps): CreatePlan {
  const request = withoutExcluded(wanted);
  const { destination, root, excludes, leftOut } = request;
  const { resolved, findings: missing } = resolveSources(request.sources);
  const folders = destination.storage.folder === undefined ? [] : [destination.storage.folder];
  const others = resolveSources(request.others ?? []).resolved;
  const reserved = new Reserved(root, folders, [...resolved, ...others]);
  const findings = [...missing];
  const sources = resolved.map((item) => {
    deps.signal.throwIfAborted();
    const { planned, findings: found } = planSource(item, excludes, reserved);
    findings.push(...found);
    return planned;
  });
  const files = sources.reduce((sum, source) => sum + source.files, 0);
  const bytes = sources.reduce((sum, source) => sum + source.bytes, 0);
  return { sources, leftOut, files, bytes, findings };
}

function planSource(
  item: ResolvedSource,
  excludes: readonly string[],
  reserved: Reserved,
): { readonly planned: PlannedBackupSource; readonly findings: readonly Finding[] } {
  const { source, real, stat } = item;
  const { name, type, scope } = source;
  if (type === 'sqlite') {
    // What a WAL holds becomes part of the copy: at most as many bytes more.
    const wal = lstatSync(`${real}${sidecarSuffixes[0]}`, { throwIfNoEntry: false })?.size ?? 0;
    const planned = { name, type, scope, path: real, files: 1, bytes: stat.size + wal, liveDatabases: [] };
    return { planned, findings: [] };
  }
  const { files, bytes, live, findings } = scanSource(item, excludes, reserved);
  const liveDatabases = live.map(({ entryPath }) => entryPath);
  return { planned: { name, type, scope, path: real, files, bytes, liveDatabases }, findings };
}
