import { basename } from 'node:path';
import { BkpError, errorText } from '../base/errors.js';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import type { Catalog } from '../catalog/catalog.js';
import type { Finding } from '../manifest/findings.js';
import { LocalStorage } from '../storage/local-storage.js';
import type { Storage } from '../storage/storage.js';
import { copyArchive } from './copy-archive.js';
import { createBackup, type CreateResult } from './create-backup.js';
import type { CreateRequest } from './create-request.js';
import type { Deps } from './deps.js';
import { lockedSuffix } from './list-backups.js';
import { removeUnkept, type PruneRequest, type PruneResult } from './prune-backups.js';
import { recordedRun, type RecordedEnding } from './recorded-run.js';
import { withLastHooks, type RunHooks } from './run-hooks.js';
import type { Monitor } from './monitor.js';

/** A backup into the storage, with all that belongs to it. */
export interface BackupRun {
  readonly request: CreateRequest;
  readonly storage: Storage;
  readonly hooks: RunHooks;
  readonly monitor: Monitor;
  /** The slot of its schedule that it fills; milliseconds since 1970. */
  readonly slot: number | undefined;
  /** Locked as soon as it has its name. */
  readonly locked: boolean;
  /** Further folders that get a copy: absolute. */
  readonly copies: readonly string[];
  /** What is removed after a run that lacks nothing, in the storage and in the copies' folders. */
  readonly retention: Pick<PruneRequest, 'retentions' | 'schedule' | 'knownBad'> | undefined;
}

export interface BackupRunResult extends CreateResult {
  /** Of the archive, faults of the run, and notes on hooks. */
  readonly findings: readonly Finding[];
  /** Where copies lie. */
  readonly copied: readonly string[];
  /** What retention did in the storage; undefined where it was not asked. */
  readonly pruned: PruneResult | undefined;
  readonly exitCode: ExitCode;
}

/**
 * Makes a backup, copies it, and lets retention remove what is not kept any longer; tells hooks, the monitor and the
 * catalogue. Only the backup itself can make it reject: what goes wrong after it is a finding.
 */
export async function runBackup(run: BackupRun, deps: Deps, catalog: Catalog | undefined): Promise<BackupRunResult> {
  const { request, hooks, monitor } = run;
  const { instance, origin, root } = request;
  const schedule = run.slot === undefined ? {} : { schedule: origin, slot: run.slot };
  const work = (): Promise<BackupRunResult> =>
    recordedRun(catalog, { kind: 'create', instance, ...schedule }, deps, (own) => backup(run, own, catalog), ending);
  await monitor.started();
  try {
    const result = await withLastHooks(hooks, { id: '', file: '', root }, work, deps.signal);
    return { ...result, findings: [...result.findings, ...(await monitor.ended(result))] };
  } catch (error) {
    await monitor.failed(deps.signal.aborted ? deps.signal.reason : error);
    throw error;
  }
}

function ending({ id, bytes, manifest, findings, exitCode }: BackupRunResult): RecordedEnding {
  return { exitCode, backup: id, bytes, files: manifest.totals.files, findings };
}

async function backup(run: BackupRun, deps: Deps, catalog: Catalog | undefined): Promise<BackupRunResult> {
  const { request, storage, hooks, locked } = run;
  const created = await createBackup({ ...request, hooks }, deps);
  if (locked) await storage.writeSide(`${basename(created.file)}${lockedSuffix}`, Buffer.alloc(0));
  const { copied, faults } = await copyTo(run, created, deps);
  const isWhole = created.complete && faults.length === 0;
  const pruned = isWhole ? await prune(run, deps, catalog) : undefined;
  const exitCode = isWhole ? exitCodes.done : exitCodes.incomplete;
  return { ...created, findings: [...created.findings, ...faults], copied, pruned, exitCode };
}

interface Copies {
  readonly copied: readonly string[];
  readonly faults: readonly Finding[];
}

async function copyTo({ request, storage, copies }: BackupRun, created: CreateResult, deps: Deps): Promise<Copies> {
  const copied: string[] = [];
  const faults: Finding[] = [];
  const { lockWait } = request;
  const { sha256, file } = created;
  for (const folder of copies) {
    const result = await copyArchive({ storage, name: basename(file), sha256, folder, lockWait }, deps);
    if (result.kind === 'failed') faults.push(result.finding);
    else copied.push(result.file);
  }
  return { copied, faults };
}

/** What the storage holds decides for it, what a copy's folder holds for that. */
async function prune(run: BackupRun, deps: Deps, catalog: Catalog | undefined): Promise<PruneResult | undefined> {
  const { request, storage, copies, retention } = run;
  if (retention === undefined) return undefined;
  const { instance, root, lockWait } = request;
  const own = { ...retention, instance, root, automatic: true };
  for (const folder of copies) {
    const copy = new LocalStorage(folder, { mustExist: true });
    await quietly(deps, () => removeUnkept({ ...own, storage: copy }, lockWait, deps, undefined));
  }
  return quietly(deps, () => removeUnkept({ ...own, storage }, lockWait, deps, catalog));
}

/** Old backups that stay a day longer are no reason to call a good backup failed. */
async function quietly<T>(deps: Deps, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    deps.signal.throwIfAborted();
    if (!(error instanceof BkpError)) throw error;
    deps.step('prune-failed', `old backups were not removed: ${errorText(error)}`);
    return undefined;
  }
}
