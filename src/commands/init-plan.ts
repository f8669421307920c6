import { basename, join } from 'node:path';
import { systemClock } from '../base/clock.js';
import { BkpError } from '../base/errors.js';
import { cmsSources, cmsSourceTypes, type CmsLayout } from '../config/cms.js';
import { composeFile } from '../config/compose-file.js';
import { realPathOf } from '../config/conflicts.js';
import { detectLayout } from '../config/detect-instance.js';
import { claimedBy } from '../operations/claimed.js';
import { resolveSources } from '../operations/resolve-sources.js';
import { survey, type Survey } from '../operations/survey.js';
import { wantedFiles } from '../policy/known-layouts.js';
import { nothingClaimed, type Proposal } from '../policy/proposal.js';
import { proposeSources } from '../policy/propose-sources.js';
import { formatBytes } from '../ui/format.js';
import type { InitPlan } from '../ui/init-view.js';
import type { InitRequest } from './init-request.js';
import type { CommandDeps } from './job.js';

/** Looks at the folder. Only reads; rejects with `no-data-found` where there is nothing to back up. */
export async function planInit(request: InitRequest, deps: Pick<CommandDeps, 'signal' | 'output'>): Promise<InitPlan> {
  const { root, file, storageFolder } = request;
  const detected = await detectLayout(root);
  const layout = detected?.layout;
  const storage = storageFolder ?? layout?.storage ?? join(root, 'var', 'backups');
  deps.output.step('looking', `looking at ${root}`);
  const found = await survey(
    { root, skip: [await realPathOf(storage)], wanted: wantedFiles() },
    { clock: systemClock, signal: deps.signal },
  );
  const blind = found.unread.find(({ path }) => path === '.');
  if (blind !== undefined) throw unreadable(root, blind.reason);
  const proposal = propose(found, root, layout);
  if (proposal.sources.every(({ type }) => type === 'files') && layout === undefined) throw nothingFound(root, found);
  const sources = layout === undefined ? [] : cmsSources(layout);
  const text = composeFile({
    proposal,
    cmsSources: sources.map(({ name }) => name),
    instance: basename(root),
    storage: request.storage ?? (layout === undefined && storageFolder === undefined ? 'var/backups' : undefined),
    formatBytes,
  });
  const { unread, cut } = found;
  const environment = detected?.unread === undefined ? [] : [{ path: detected.unread, reason: 'cannot be read' }];
  const missing = resolveSources(sources).findings.flatMap(({ source }) => source ?? []);
  return {
    root,
    file,
    text,
    isCms: layout !== undefined,
    proposal,
    survey: { unread: [...environment, ...unread], cut },
    missing,
  };
}

function propose(found: Survey, root: string, layout: CmsLayout | undefined): Proposal {
  if (layout !== undefined) return proposeSources(found, claimedBy(cmsSources(layout), root));
  const proposal = proposeSources(found, nothingClaimed);
  // Were all names those of the CMS, its other sources would be expected too.
  if (proposal.sources.some(({ name }) => !cmsSourceTypes.has(name))) return proposal;
  return proposeSources(found, { ...nothingClaimed, names: [...cmsSourceTypes.keys()] });
}

const unreadable = (root: string, reason: string): BkpError =>
  new BkpError('io-failed', `${root} cannot be looked at: ${reason}`, {
    path: root,
    hint: 'Run it as a user who may read the folder.',
  });

function nothingFound(root: string, { unread }: Survey): BkpError {
  const blind = unread.length === 0 ? '' : ` (${unread.length} files or folders in it could not be read)`;
  return new BkpError('no-data-found', `found no SQLite file and no folder of data in ${root}${blind}`, {
    path: root,
    hint: 'Name the folder of the application, or write .backuprc by hand: docs/configuration.md describes it.',
  });
}
