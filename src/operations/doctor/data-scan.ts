import { accessSync, constants, lstatSync } from 'node:fs';
import { systemCode } from '../../base/errors.js';
import { reasonOf } from '../../fs/reason.js';
import { ofKind, type Finding } from '../../manifest/findings.js';
import { readHeaderMode } from '../../sqlite/header.js';
import type { PausingDatabase } from '../../sqlite/pause.js';
import { scanSource } from '../live-databases.js';
import { Reserved, resolveSources, sidecarSuffixes, type ResolvedSource } from '../resolve-sources.js';
import type { Source } from '../source.js';

/** What of a source a backup would lack. */
export interface Lack {
  readonly source: string;
  readonly count: number;
  /** The first of them. */
  readonly message: string;
}

/** What a backup of everything that is turned on would read. */
export interface DataScan {
  readonly resolved: readonly ResolvedSource[];
  readonly files: number;
  /** Of content. */
  readonly bytes: number;
  /** Of databases, which are copied before they are archived. */
  readonly databaseBytes: number;
  /** Sources whose writers wait while they are copied. Databases found in folders refuse no backup. */
  readonly rollback: readonly PausingDatabase[];
  readonly lacks: readonly Lack[];
  /** Sources that are no databases although they should be: paths. */
  readonly notDatabases: readonly string[];
}

export interface ScanRequest {
  readonly root: string;
  readonly sources: readonly Source[];
  readonly others: readonly Source[];
  readonly excludes: readonly string[];
  readonly storage: string | undefined;
}

/** Looks at all sources as a backup would, without reading content, opening a database or writing anything. */
export function scanData({ root, sources, others, excludes, storage }: ScanRequest, signal: AbortSignal): DataScan {
  const { resolved, findings } = resolveSources(sources);
  const folders = storage === undefined ? [] : [storage];
  const reserved = new Reserved(root, folders, [...resolved, ...resolveSources(others).resolved]);
  const lacks = new Lacks();
  for (const { source, message } of findings) lacks.add(source ?? '', message);
  let files = 0;
  let bytes = 0;
  const databases: string[] = [];
  const found: string[] = [];
  const notDatabases: string[] = [];
  for (const item of resolved) {
    signal.throwIfAborted();
    const { source, real } = item;
    if (source.type === 'sqlite') {
      files += 1;
      if (isDatabase(real, source.name, lacks)) databases.push(real);
      else notDatabases.push(real);
      bytes += withWal(real);
      continue;
    }
    const scanned = scanSource(item, excludes, reserved, (walked) => {
      if (walked.kind === 'file') lookInto(walked.absolute, source.name, lacks);
    });
    for (const { message, path } of losses(scanned.findings)) lacks.add(source.name, `${path ?? ''}: ${message}`);
    found.push(...scanned.live.map(({ absolute }) => absolute));
    files += scanned.files;
    bytes += scanned.bytes;
  }
  const databaseBytes = [...databases, ...found].reduce((sum, path) => sum + withWal(path), 0);
  const rollback = databases.filter(isRollback).map((path) => ({ path, bytes: lstatSync(path).size }));
  return { resolved, files, bytes, databaseBytes, rollback, lacks: lacks.all(), notDatabases };
}

class Lacks {
  readonly #bySource = new Map<string, Lack>();

  add(source: string, message: string): void {
    const before = this.#bySource.get(source);
    const count = (before?.count ?? 0) + 1;
    this.#bySource.set(source, { source, count, message: before?.message ?? message });
  }

  all(): readonly Lack[] {
    return [...this.#bySource.values()];
  }
}

const losses = (findings: readonly Finding[]): readonly Finding[] => ofKind(findings, 'loss');

function lookInto(path: string, source: string, lacks: Lacks): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    // Gone since: nothing that a later backup would lack.
    if (systemCode(error) !== 'ENOENT') lacks.add(source, `${path}: ${reasonOf(error)}`);
  }
}

/** An empty file is an empty database. What cannot be read is told as a lack. */
function isDatabase(path: string, source: string, lacks: Lacks): boolean {
  try {
    return lstatSync(path).size === 0 || readHeaderMode(path) !== undefined;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    lacks.add(source, `${path}: ${reasonOf(error)}`);
    return true;
  }
}

function isRollback(path: string): boolean {
  try {
    return readHeaderMode(path) === 'delete';
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

/** What a WAL holds becomes part of the copy. */
function withWal(path: string): number {
  const sizes = [path, `${path}${sidecarSuffixes[0]}`].map(
    (one) => lstatSync(one, { throwIfNoEntry: false })?.size ?? 0,
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
