import { lstatSync, statfsSync } from 'node:fs';
import { formatBytes } from '../base/amounts.js';
import { BkpError, ioError } from '../base/errors.js';
import type { FoundManifest } from '../manifest/manifest.js';
import type { LiveContent } from './live-content.js';
import { existingAbove, type RestoreUnit } from './restore-units.js';

/** What a restore needs on one file system, beside what is there. */
export interface SpaceNeed {
  /** A folder on it. */
  readonly folder: string;
  /** Bytes; undefined where the archive does not tell. */
  readonly needs: number | undefined;
  /** Bytes, of them for the safety backup: what is there now, as much smaller as the archive is than its content. */
  readonly safety: number;
  /** Bytes. */
  readonly free: number;
}

export interface SpaceRequest {
  readonly manifest: FoundManifest;
  /** Of the archive. */
  readonly archiveBytes: number;
  readonly units: readonly RestoreUnit[];
  readonly root: string;
  /** Single files are merged in: how large they are the manifest does not tell. */
  readonly merge: boolean;
  readonly live: LiveContent;
  /** Where the safety backup goes; undefined without one, or where that is no folder. */
  readonly storageFolder: string | undefined;
}

/** By file system: the root's first. */
export function spaceNeeds(request: SpaceRequest): readonly SpaceNeed[] {
  const { manifest, units, root, merge } = request;
  const needs = new Map<bigint, { folder: string; needs: number | undefined; safety: number }>();
  const add = (folder: string, bytes: number | undefined, safety: number): void => {
    const there = existingAbove(folder);
    const { dev } = lstatSync(there, { bigint: true });
    const known = needs.get(dev) ?? { folder: there, needs: 0, safety: 0 };
    const sum = known.needs === undefined || bytes === undefined ? undefined : known.needs + bytes;
    needs.set(dev, { ...known, needs: sum, safety: known.safety + safety });
  };
  add(root, 0, 0);
  for (const { source, room } of units) {
    const recorded = merge ? undefined : manifest.sources?.find(({ name }) => name === source.name)?.bytes;
    add(room, recorded, 0);
  }
  if (request.storageFolder !== undefined) {
    const safety = safetyBytes(request);
    add(request.storageFolder, safety, safety);
  }
  return [...needs.values()].map((need) => ({ ...need, free: freeBytes(need.folder) }));
}

/** The archive, and the copies of databases that it is made of. */
function safetyBytes({ manifest, archiveBytes, live }: SpaceRequest): number {
  const content = manifest.totals?.bytes ?? 0;
  const shrinks = content === 0 ? 1 : Math.min(1, archiveBytes / content);
  const copies = [...live.own.map(({ bytes }) => bytes), ...live.inside.map(({ stat }) => stat.size)];
  return Math.ceil(live.bytes * shrinks) + copies.reduce((sum, bytes) => sum + bytes, 0);
}

function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch (error) {
    throw ioError('looking at the free space of', folder, error);
  }
}

/** Throws `no-space`. */
export function requireSpace(needs: readonly SpaceNeed[]): void {
  const short = needs.filter(({ needs: bytes, free }) => bytes !== undefined && bytes > free);
  if (short.length === 0) return;
  const lines = short.map(({ folder, needs: bytes = 0, safety, free }) => {
    const part = safety === 0 ? '' : `, of which about ${formatBytes(safety)} for the safety backup`;
    const amounts = `restoring needs ${formatBytes(bytes)} beside what is there${part}; ${formatBytes(free)} free`;
    return `${amounts} at ${folder}: ${formatBytes(bytes - free)} too little`;
  });
  throw new BkpError('no-space', lines.join('\n'), {
    path: short[0]?.folder ?? '',
    hint: `Free that much there${short.some(({ safety }) => safety > 0) ? ', or pass --no-safety-backup: what is there now is kept aside then' : ''}. Nothing was written.`,
  });
}
