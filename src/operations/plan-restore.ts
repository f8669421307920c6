import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Cleanup } from '../base/cleanup.js';
import { formatBytes } from '../base/amounts.js';
import { BkpError, ioError } from '../base/errors.js';
import type { AskPassphrase } from '../base/passphrase.js';
import type { CompressPool } from '../compress/pool.js';
import { hasDamage, ofKind, type Finding } from '../manifest/findings.js';
import type { FoundManifest } from '../manifest/manifest.js';
import type { BackupFile } from './backup-file.js';
import { openPool, type Deps } from './deps.js';
import { openBackupFile, type Opened } from './open-backup.js';
import { proveContainer } from './prove-container.js';
import { plainFinding } from './prove-contents.js';
import { restoreLayout, type RestoreLayout } from './restore-layout.js';
import { checkTarget } from './restore-target.js';

export interface RestoreRequest {
  readonly file: BackupFile;
  /** The folder to restore into: absolute; absent or empty. Undefined: only look (a dry run without a target). */
  readonly target: string | undefined;
  /** Sources to restore; undefined for all. */
  readonly only: readonly string[] | undefined;
  /** Take an archive without checksums: its files can be decoded, not proven. */
  readonly allowUnverified: boolean;
  readonly allowRepacked: boolean;
  /** Owners as recorded, or the user's own. */
  readonly owner: 'archive' | 'self';
  /** For an encrypted one; needed until the restore has ended. */
  readonly passphrase?: AskPassphrase | undefined;
}

export interface PlannedSource {
  readonly name: string;
  /** Below the target; `` for the target itself. */
  readonly place: string;
  readonly selected: boolean;
  readonly files: number | undefined;
  readonly bytes: number | undefined;
}

/** What a restore will do. It was proven as bytes; contents are proven while they are staged. */
export interface RestorePlan {
  readonly request: RestoreRequest;
  readonly manifest: FoundManifest;
  readonly sources: readonly PlannedSource[];
  readonly layout: RestoreLayout;
  /** Bytes to be written, as declared; undefined where the manifest does not tell. */
  readonly bytes: number | undefined;
  /** Bytes free at the target; undefined without one. */
  readonly free: number | undefined;
  /** Of the archive as a file. */
  readonly sha256: string;
  /** What the archive says it lacks, and what must be known of it. */
  readonly findings: readonly Finding[];
  /** For the do-half: the opened, proven archive. Closed by the cleanup that the plan was made with. */
  readonly opened: Extract<Opened, { kind: 'opened' }>;
  readonly pool: CompressPool;
}

/** Opens and proves an archive and looks at the target. Writes nothing. Rejects where the restore may not be done. */
export async function planRestore(request: RestoreRequest, deps: Deps, cleanup: Cleanup): Promise<RestorePlan> {
  if (request.target !== undefined) checkTarget(request.target);
  const pool = openPool(deps, cleanup);
  const { allowRepacked: repacked, passphrase } = request;
  const { opened, side } = await openBackupFile(request.file, { pool, repacked, signal: deps.signal, passphrase });
  if (opened.kind === 'damaged') throw damaged(request.file.location, opened.findings);
  const { reader, claims } = opened;
  cleanup.defer(() => reader.close());
  deps.progress.start('verify', reader.bytes);
  const proof = await proveContainer(reader, claims, side, (bytes) => deps.progress.advance(bytes), deps.signal);
  if (hasDamage(proof.findings)) throw damaged(request.file.location, proof.findings);
  if (claims.sums === undefined && !request.allowUnverified) throw unverified(request.file.location);
  const { manifest } = claims;
  const layout = restoreLayout(manifest);
  const sources = planSources(manifest, layout, request.only);
  const bytes = totalBytes(sources);
  const free = request.target === undefined ? undefined : freeBytes(request.target);
  if (free !== undefined && bytes !== undefined && bytes > free) throw noSpace(request.target ?? '', bytes, free);
  const findings = [...opened.findings, ...proof.findings, ...(manifest.findings ?? [])];
  return { request, manifest, sources, layout, bytes, free, sha256: proof.sha256, findings, opened, pool };
}

function planSources(
  manifest: FoundManifest,
  layout: RestoreLayout,
  only: readonly string[] | undefined,
): readonly PlannedSource[] {
  const names = [...layout.keys()];
  const unknown = (only ?? []).filter((name) => !layout.has(name));
  if (unknown.length > 0) {
    throw new BkpError('source-unknown', `the backup holds no source ${unknown.join(', ')}`, {
      hint: `It holds: ${names.join(', ')}.`,
    });
  }
  return names.map((name) => {
    const recorded = manifest.sources?.find((source) => source.name === name);
    const selected = only === undefined || only.includes(name);
    return { name, place: layout.get(name) ?? name, selected, files: recorded?.files, bytes: recorded?.bytes };
  });
}

function totalBytes(sources: readonly PlannedSource[]): number | undefined {
  let total = 0;
  for (const { selected, bytes } of sources) {
    if (!selected) continue;
    if (bytes === undefined) return undefined;
    total += bytes;
  }
  return total;
}

function freeBytes(target: string): number {
  let folder = target;
  while (!existsSync(folder)) folder = dirname(folder);
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch (error) {
    throw ioError('looking at the free space of', folder, error);
  }
}

export function damaged(location: string, findings: readonly Finding[]): BkpError {
  const found = ofKind(findings, 'damage');
  const lines = found.slice(0, 5).map((one) => `  ${plainFinding(one)}`);
  return new BkpError('archive-damaged', [`${location} is damaged, so nothing was restored`, ...lines].join('\n'), {
    path: location,
    hint: '`bkp verify` lists everything that is wrong with it. Restore another backup: `bkp list`.',
  });
}

export const unverified = (location: string): BkpError =>
  new BkpError('unverified-archive', `${location} holds no checksums, so its files cannot be proven`, {
    path: location,
    hint: 'Pass --allow-unverified to restore it all the same.',
  });

const noSpace = (target: string, bytes: number, free: number): BkpError =>
  new BkpError('no-space', noSpaceText(target, bytes, free), {
    path: target,
    hint: 'Free that much there, or choose another folder; nothing was written.',
  });

function noSpaceText(target: string, bytes: number, free: number): string {
  const short = `${formatBytes(bytes - free)} too little`;
  return `restoring needs ${formatBytes(bytes)}; ${formatBytes(free)} free at ${target}: ${short}`;
}
