import { entryPathFault } from '../base/entry-path.js';
import type { FoundManifest } from '../manifest/manifest.js';

/** Where each source lies below a target folder: by source name, relative, `` for the target itself. */
export type RestoreLayout = ReadonlyMap<string, string>;

/**
 * Sources go where they lay in their instance, below the target: the result is an instance again. A recorded path that
 * is absolute or unsafe, that two sources share, or that leads into the place of a source which has none, gives way to
 * the source's name.
 */
export function restoreLayout(manifest: FoundManifest): RestoreLayout {
  const recorded = new Map((manifest.sources ?? []).map(({ name, path }) => [name, safePath(path)]));
  for (const name of manifest.includes) if (!recorded.has(name)) recorded.set(name, undefined);
  const files = new Set((manifest.sources ?? []).flatMap(({ name, type }) => (type === 'files' ? [name] : [])));
  const uses = new Map<string, number>();
  // Single files of several sources may share a folder: two that are one file are found out when they are written.
  for (const [name, path] of recorded) {
    if (path !== undefined && !files.has(name)) uses.set(path, (uses.get(path) ?? 0) + 1);
  }
  const byName = new Set([...recorded].flatMap(([name, path]) => (path === undefined ? [name] : [])));
  const givesWay = (name: string, path: string): boolean => {
    if (!files.has(name) && (uses.get(path) ?? 0) > 1) return true;
    // A source of single files shares the root with all others.
    return path === '' ? byName.size > 0 && !files.has(name) : byName.has(path.split('/', 1)[0] ?? path);
  };
  // Until none gives way any more: each that does takes a place that another one's path may lead into.
  for (let before = -1; before !== byName.size;) {
    before = byName.size;
    for (const [name, path] of recorded) {
      if (path !== undefined && !byName.has(name) && givesWay(name, path)) byName.add(name);
    }
  }
  return new Map([...recorded].map(([name, path]) => [name, byName.has(name) ? name : (path ?? name)]));
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
