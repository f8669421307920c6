import { entryPathFault } from '../base/entry-path.js';
import type { FoundManifest } from '../manifest/manifest.js';

/** Where each source lies below a target folder: by source name, relative, `` for the target itself. */
export type RestoreLayout = ReadonlyMap<string, string>;

/**
 * Sources go where they lay in their instance, below the target: the result is an instance again. A recorded path that
 * is absolute or unsafe, or that two sources share, gives way to the source's name.
 */
export function restoreLayout(manifest: FoundManifest): RestoreLayout {
  const recorded = new Map((manifest.sources ?? []).map(({ name, path }) => [name, safePath(path) ?? name]));
  for (const name of manifest.includes) if (!recorded.has(name)) recorded.set(name, name);
  const taken = new Map<string, number>();
  for (const path of recorded.values()) taken.set(path, (taken.get(path) ?? 0) + 1);
  return new Map([...recorded].map(([name, path]) => [name, (taken.get(path) ?? 0) > 1 ? name : path]));
}

function safePath(recorded: string): string | undefined {
  if (recorded === '.' || recorded === '') return '';
  return entryPathFault(recorded) === undefined ? recorded : undefined;
}

const sidecar = /-(?:wal|journal)$/;

/** The source an entry belongs to: its first segment, or for a damaged database's sidecar that without its suffix. */
export function entrySource(path: string, layout: RestoreLayout): string {
  const first = path.split('/', 1)[0] ?? path;
  return layout.has(first) ? first : first.replace(sidecar, '');
}

/** Where an entry lies below the target; `` for a source that is the target itself. */
export function placeOf(path: string, layout: RestoreLayout): string {
  const source = entrySource(path, layout);
  const base = layout.get(source) ?? source;
  const rest = path.slice(source.length);
  return base === '' ? rest.replace(/^\//, '') : `${base}${rest}`;
}
