import { join } from 'node:path';
import type { EntryHeader } from '../archive/archive.js';
import { withCleanup } from '../base/cleanup.js';
import { entryPathFault } from '../base/entry-path.js';
import { BkpError } from '../base/errors.js';
import { TreeWriter } from '../fs/tree-writer.js';
import { finding, hasDamage, type Finding } from '../manifest/findings.js';
import { databaseEntries } from './check-databases.js';
import type { Deps } from './deps.js';
import { damaged, type RestorePlan } from './plan-restore.js';
import { proveContents, type Visitor } from './prove-contents.js';
import { entrySource, placeOf, type RestoreLayout } from './restore-layout.js';
import { openPlace, treeName } from './restore-target.js';
import { StagedChecks } from './staged-checks.js';
import { writeTreeFile } from './write-tree-file.js';

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
    const tree = new TreeWriter(place.folder, { owner: request.owner, sync: true });
    cleanup.defer(() => tree.close());
    const isSelected = ({ path }: EntryHeader): boolean => selected.has(entrySource(path, layout));
    const checks = new StagedChecks(request.file.location, deps, cleanup);
    const checked = databaseEntries(manifest);
    const visitor: Visitor = {
      wants: isSelected,
      file: async (header, content) => {
        const to = stagedPath(header.path, layout);
        await writeTreeFile(tree, to, header, content);
        if (checked.has(header.path)) checks.add({ header, file: join(place.folder, to) });
      },
      other: (header) => {
        const to = stagedPath(header.path, layout);
        // A folder that is there keeps its own mode, owner and time.
        if (!isSelected(header) || (to === treeName && place.exists)) return Promise.resolve();
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
    const notes = await checks.finish();
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
      databases: checks.databases.length,
      findings,
      milliseconds,
    };
  });
}

/** Where an entry lies in the private folder. */
function stagedPath(path: string, layout: RestoreLayout): string {
  const place = placeOf(path, layout);
  const staged = place === '' ? treeName : `${treeName}/${place}`;
  const fault = entryPathFault(staged);
  if (fault === undefined) return staged;
  throw new BkpError('target-unwritable', `${path} cannot lie below the target as ${place} (${fault})`, {
    path,
    hint: '`unzip` or `tar` unpack it under the name it has in the archive.',
  });
}

function ownerNote(owners: number, setIds: number): Finding {
  const dropped = setIds > 0 ? `; ${setIds} of them lost their set-id bits` : '';
  return finding('owner-not-restored', `the owner of ${owners} entries could not be set without root${dropped}`);
}
