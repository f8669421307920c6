import { BkpError } from '../base/errors.js';
import type { FoundManifest } from '../manifest/manifest.js';
import type { RestoreUnit } from './restore-units.js';

/**
 * A backup that is limited to one project holds a part of a source: put in the place of the whole it would take everything
 * else away. Throws `restore-impossible`, with the way that goes.
 */
export function refusePart({ project, sources }: FoundManifest, units: readonly RestoreUnit[], merge: boolean): void {
  if (merge || project === null || project === undefined) return;
  const parts = units.filter(({ source }) => {
    const recorded = sources?.find(({ name }) => name === source.name);
    return recorded?.type === 'directory' && recorded.scope === 'snapshots';
  });
  const [part] = parts;
  if (part === undefined) return;
  const { name } = part.source;
  throw new BkpError('restore-impossible', `the backup holds only the project ${project} of ${name}`, {
    hint: `Merge its files with --path '${name}/${project}/**', and name the other sources with --only.`,
  });
}
