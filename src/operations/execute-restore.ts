import { lstatSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { EntryHeader } from '../archive/archive.js';
import { blockSize } from '../base/limits.js';
import { withCleanup, type Cleanup } from '../base/cleanup.js';
import { ioError } from '../base/errors.js';
import { createStaging } from '../fs/staging.js';
import { syncFolder } from '../fs/sync-folder.js';
import { TreeWriter } from '../fs/tree-writer.js';
import { finding, hasDamage, type Finding } from '../manifest/findings.js';
import { openSqliteChild } from '../sqlite/client.js';
import { checkDatabase, databaseEntries } from './check-databases.js';
import type { Deps } from './deps.js';
import { damaged, type RestorePlan } from './plan-restore.js';
import { proveContents, type Visitor } from './prove-contents.js';
import { entrySource, placeOf } from './restore-layout.js';

export interface RestoreResult {
  readonly target: string;
  readonly files: number;
  readonly bytes: number;
  readonly directories: number;
  readonly links: number;
  /** Databases whose integrity was checked after they were written. */
  readonly databases: number;
  /** Notes of this run, and what the archive says it lacks. */
  readonly findings: readonly Finding[];
  readonly milliseconds: number;
}

/**
 * Writes a planned restore into a private folder, every file hashed on the way, checks the databases, and only then
 * moves it to the target. On failure the target is as it was.
 */
export function restoreToTarget(plan: RestorePlan & { readonly target: string }, deps: Deps): Promise<RestoreResult> {
  return withCleanup(async (cleanup) => {
    const started = deps.clock.monotonic();
    const place = await openPlace(plan.target, deps, cleanup);
    const { request, layout, opened, manifest } = plan;
    const selected = new Set(plan.sources.filter((source) => source.selected).map(({ name }) => name));
    const tree = new TreeWriter(place.tree, { owner: request.owner, sync: true });
    cleanup.defer(() => tree.close());
    const isSelected = ({ path }: EntryHeader): boolean => selected.has(entrySource(path, layout));
    const databases: { readonly header: EntryHeader; readonly file: string }[] = [];
    const checked = databaseEntries(manifest);
    const visitor: Visitor = {
      wants: isSelected,
      file: async (header, content) => {
        const to = placeOf(header.path, layout);
        await writeFile(tree, to, header, content);
        if (checked.has(header.path)) databases.push({ header, file: join(place.tree, to) });
      },
      other: (header) => {
        const to = placeOf(header.path, layout);
        if (!isSelected(header) || to === '') return Promise.resolve();
        if (header.kind === 'directory') tree.createDirectory(to, header);
        else tree.createLink(to, header.target ?? '', header);
        return Promise.resolve();
      },
    };
    deps.progress.start('stage', plan.bytes);
    const contents = await proveContents(opened.reader, opened.claims, {
      signal: deps.signal,
      visitor,
      withoutContent: true,
      stopAtDamage: true,
      advance: (bytes, path) => deps.progress.advance(bytes, path),
    });
    if (hasDamage(contents.findings)) throw damaged(request.file.location, contents.findings);
    const counts = await tree.finish();
    const notes = await checkStaged(databases, deps, request.file.location);
    if (counts.ownersNotSet > 0) notes.push(ownerNote(counts.ownersNotSet, counts.setIdsDropped));
    deps.signal.throwIfAborted();
    await place.publish();
    deps.step('restored', `moved everything to ${plan.target}`);
    const { files, directories, links } = counts;
    const milliseconds = deps.clock.monotonic() - started;
    const findings = [...notes, ...plan.findings];
    return {
      target: plan.target,
      files,
      bytes: contents.bytes,
      directories,
      links,
      databases: databases.length,
      findings,
      milliseconds,
    };
  });
}

async function writeFile(
  tree: TreeWriter,
  to: string,
  header: EntryHeader,
  content: AsyncIterable<Buffer>,
): Promise<void> {
  if (header.size <= blockSize) {
    const pieces: Buffer[] = [];
    for await (const piece of content) pieces.push(piece);
    return tree.writeFile(to, pieces.length === 1 ? (pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(pieces), header);
  }
  const file = tree.createFile(to, header);
  try {
    for await (const piece of content) await file.write(piece);
  } catch (error) {
    file.abandon();
    throw error;
  }
  await file.close();
}

/** Asks SQLite about each restored database before anything is at its place. */
async function checkStaged(
  databases: readonly { readonly header: EntryHeader; readonly file: string }[],
  deps: Deps,
  location: string,
): Promise<Finding[]> {
  if (databases.length === 0) return [];
  deps.progress.start('check');
  return withCleanup(async (cleanup) => {
    const child = openSqliteChild({ signal: deps.signal });
    cleanup.defer(() => child.close());
    const findings: Finding[] = [];
    for (const { header, file } of databases) findings.push(...(await checkDatabase(child, file, header)));
    if (hasDamage(findings)) throw damaged(location, findings);
    return findings;
  });
}

function ownerNote(owners: number, setIds: number): Finding {
  const dropped = setIds > 0 ? `; ${setIds} of them lost their set-id bits` : '';
  return finding('owner-not-restored', `the owner of ${owners} entries could not be set without root${dropped}`);
}

/** Where a tree is built, and how it gets to the target. */
interface Place {
  readonly tree: string;
  publish(): Promise<void>;
}

/**
 * A target that does not exist yet is built beside its place and renamed once: all or nothing, whatever happens. An
 * empty folder that is there keeps being that folder: it is filled by renames from a private folder in it.
 */
async function openPlace(target: string, deps: Deps, cleanup: Cleanup): Promise<Place> {
  const exists = lstatSync(target, { throwIfNoEntry: false }) !== undefined;
  const parent = exists ? target : dirname(target);
  try {
    mkdirSync(parent, { recursive: true });
  } catch (error) {
    throw ioError('creating', parent, error, 'target-unwritable');
  }
  const staging = await createStaging(parent, exists ? 'bkp-restore' : basename(target), deps.clock);
  cleanup.defer(() => staging.close());
  const tree = join(staging.path, 'tree');
  mkdirSync(tree, { mode: 0o755 });
  const publish = async (): Promise<void> => {
    try {
      if (exists) moveChildren(tree, target);
      else renameSync(tree, target);
    } catch (error) {
      throw ioError('moving the restored files to', target, error, 'target-unwritable');
    }
    await syncFolder(exists ? target : parent);
  };
  return { tree, publish };
}

/** Moves what is in a folder into another one; where one move fails, those before it are undone. */
function moveChildren(from: string, to: string): void {
  const moved: string[] = [];
  try {
    for (const name of readdirSync(from)) {
      renameSync(join(from, name), join(to, name));
      moved.push(name);
    }
  } catch (error) {
    for (const name of moved) renameSync(join(to, name), join(from, name));
    throw error;
  }
}
