import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { EntryHeader } from '../archive/archive.js';
import type { Cleanup } from '../base/cleanup.js';
import { sourceOf } from '../base/entry-path.js';
import { BkpError, ioError } from '../base/errors.js';
import { lookIfAllowed } from '../fs/file-stat.js';
import { makeFolders } from '../fs/make-folders.js';
import { removeTree } from '../fs/remove-tree.js';
import { TreeWriter } from '../fs/tree-writer.js';
import { finding, hasDamage, type Finding } from '../manifest/findings.js';
import { databaseEntries } from './check-databases.js';
import type { Deps } from './deps.js';
import { damaged } from './plan-restore.js';
import { proveContents, type Visitor } from './prove-contents.js';
import type { InPlacePlan, OwnerPolicy } from './plan-in-place.js';
import { sidecarSuffixes } from './resolve-sources.js';
import type { RestoreUnit } from './restore-units.js';
import { StagedChecks, type StagedDatabase } from './staged-checks.js';
import { writeTreeFile } from './write-tree-file.js';

/** What lies in staging now, proven. */
export interface Staged {
  readonly files: number;
  readonly bytes: number;
  readonly directories: number;
  readonly links: number;
  /** Databases that were checked, where they lie now. */
  readonly databases: readonly StagedDatabase[];
  /** Single files of `files` sources: their paths below the unit's folder. */
  readonly singles: ReadonlyMap<RestoreUnit, readonly string[]>;
  /** Sidecars of databases kept raw: suffix by unit. */
  readonly sidecars: ReadonlyMap<RestoreUnit, readonly string[]>;
  readonly findings: readonly Finding[];
}

/** Writes everything the plan restores into the private folders, hashing and checking it: the full verification. */
export async function stageUnits(plan: InPlacePlan, deps: Deps, cleanup: Cleanup): Promise<Staged> {
  const writers = await openWriters(plan, cleanup);
  const singles = new Map<RestoreUnit, string[]>();
  const sidecars = new Map<RestoreUnit, string[]>();
  const checks = new StagedChecks(plan.file.location, deps, cleanup);
  const checked = databaseEntries(plan.manifest);
  const at = (header: EntryHeader): Staging | undefined =>
    plan.isWanted(header.path) ? stagingOf(plan.units, header, writers) : undefined;
  const visitor: Visitor = {
    wants: (header) => at(header) !== undefined,
    file: async (header, content) => {
      const staging = at(header);
      if (staging === undefined) return;
      const { unit, tree, path, rest } = staging;
      await writeTreeFile(tree, path, { ...header, ...metadataOf(unit, rest, header, plan.owner) }, content);
      if (checked.has(header.path)) checks.add({ header, file: join(unit.room, 'stage', path) });
      if (unit.mode === 'files') push(singles, unit, rest);
      if (unit.source.type === 'sqlite' && rest !== '') push(sidecars, unit, rest);
    },
    other: (header) => {
      const staging = at(header);
      if (staging === undefined) return Promise.resolve();
      const { unit, tree, path, rest } = staging;
      const meta = { ...header, ...metadataOf(unit, rest, header, plan.owner) };
      if (header.kind === 'link') {
        tree.createLink(path, header.target ?? '', meta);
        if (unit.mode === 'files') push(singles, unit, rest);
      } else if (unit.mode !== 'files') tree.createDirectory(path, meta);
      return Promise.resolve();
    },
  };
  deps.progress.start('stage', plan.bytes);
  const contents = await proveContents(plan.opened.reader, plan.opened.claims, {
    signal: deps.signal,
    visitor,
    withoutContent: true,
    stopAtDamage: true,
    advance: (bytes, path) => deps.progress.advance(bytes, path),
  });
  if (hasDamage(contents.findings)) throw damaged(plan.file.location, contents.findings);
  const counts = { files: 0, directories: 0, links: 0, owners: 0 };
  for (const tree of writers.values()) {
    const done = await tree.finish();
    counts.files += done.files;
    counts.directories += done.directories;
    counts.links += done.links;
    counts.owners += done.ownersNotSet;
  }
  const findings = await checks.finish();
  if (counts.owners > 0) {
    findings.push(finding('owner-not-restored', `the owner of ${counts.owners} entries could not be set without root`));
  }
  const { files, directories, links } = counts;
  return { files, directories, links, bytes: contents.bytes, databases: checks.databases, singles, sidecars, findings };
}

function push(map: Map<RestoreUnit, string[]>, unit: RestoreUnit, path: string): void {
  const list = map.get(unit) ?? [];
  list.push(path);
  map.set(unit, list);
}

/** One writer for each private folder; what a killed restore left staged there goes first. */
async function openWriters(plan: InPlacePlan, cleanup: Cleanup): Promise<ReadonlyMap<string, TreeWriter>> {
  const writers = new Map<string, TreeWriter>();
  for (const room of new Set(plan.units.map((unit) => unit.room))) {
    const stage = join(room, 'stage');
    try {
      makeFolders(room, 0o700);
      await removeTree(stage);
      mkdirSync(stage, { mode: 0o700 });
    } catch (error) {
      throw ioError('creating', stage, error, 'target-unwritable');
    }
    const tree = new TreeWriter(stage, { owner: 'archive', sync: true });
    cleanup.defer(() => tree.close());
    writers.set(room, tree);
  }
  return writers;
}

interface Staging {
  readonly unit: RestoreUnit;
  readonly tree: TreeWriter;
  /** In the room's `stage`. */
  readonly path: string;
  /** In the unit: `` for the unit itself; a sidecar's suffix for a raw database's. */
  readonly rest: string;
}

function stagingOf(
  units: readonly RestoreUnit[],
  { path }: EntryHeader,
  writers: ReadonlyMap<string, TreeWriter>,
): Staging | undefined {
  const first = sourceOf(path);
  const unit = units.find(({ source }) => source.name === first || isSidecarOf(source.name, first));
  const tree = unit === undefined ? undefined : writers.get(unit.room);
  if (unit === undefined || tree === undefined) return undefined;
  const { name, type } = unit.source;
  const rest = type === 'sqlite' ? first.slice(name.length) : path.slice(name.length + 1);
  const base = relative(join(unit.room, 'stage'), unit.staged);
  const full = type === 'sqlite' ? `${base}${rest}` : rest === '' ? base : `${base}/${rest}`;
  return { unit, tree, path: full, rest };
}

const isSidecarOf = (name: string, first: string): boolean =>
  sidecarSuffixes.some((suffix) => first === `${name}${suffix}`);

type Metadata = Pick<EntryHeader, 'mode' | 'mtime' | 'uid' | 'gid'>;

/** Owner and group of what is replaced; a database keeps the live one's mode too. */
function metadataOf(unit: RestoreUnit, rest: string, header: EntryHeader, owner: OwnerPolicy): Metadata {
  const { mode, mtime, uid, gid } = header;
  if (owner.kind === 'archive') return { mode, mtime, uid, gid };
  const live = unit.source.type === 'sqlite' || rest === '' ? unit.live : join(unit.live, rest);
  const old = lookNearest(live);
  if (old === undefined) throw new BkpError('restore-impossible', `nothing is there above ${live}`, { path: live });
  const isDatabase = unit.source.type === 'sqlite' && old.path === unit.live;
  const ids = owner.kind === 'ids' ? owner : old;
  return { mode: isDatabase ? old.mode : mode, mtime, uid: ids.uid, gid: ids.gid };
}

/** What lies there, or the nearest folder above that does, as far as may be known. */
function lookNearest(path: string): { path: string; mode: number; uid: number; gid: number } | undefined {
  for (let at = path; ; at = join(at, '..')) {
    const found = lookIfAllowed(at);
    if (found !== undefined && found !== 'denied')
      return { path: at, mode: found.mode & 0o7777, uid: found.uid, gid: found.gid };
    if (at === '/') return undefined;
  }
}
