import { resolve } from 'node:path';
import type { Source } from '../operations/source.js';
import { type CmsLayout, cmsSources, cmsSourceTypes, isOverride, varLayout } from './cms.js';
import type { SourceEntry } from './schema.js';

/**
 * Whether the default sources of the CMS hold beside what a file says. They do not where the file names a source of its
 * own, nothing in it is a change to a default one, and the root has not the layout of the CMS.
 */
export function hasCmsDefaults(entries: ReadonlyMap<string, SourceEntry>, layout: CmsLayout | undefined): boolean {
  if (layout !== undefined) return true;
  const named = [...entries];
  return named.every(([name]) => cmsSourceTypes.has(name)) || named.some(([name, entry]) => isOverride(name, entry));
}

/** Default sources (changed where an entry has their name), then the others in the order of the file. */
export function resolveSources(
  entries: ReadonlyMap<string, SourceEntry>,
  root: string,
  layout: CmsLayout | undefined,
): readonly Source[] {
  const defaults = hasCmsDefaults(entries, layout) ? cmsSources(layout ?? varLayout(root)) : [];
  const known = new Set(defaults.map(({ name }) => name));
  const own = [...entries].filter(([name]) => !known.has(name));
  return [
    ...defaults.map((source) => changed(source, entries.get(source.name), root)),
    ...own.map(([name, entry]) => ownSource(name, entry, root)),
  ];
}

function changed(source: Source, entry: SourceEntry | undefined, root: string): Source {
  if (entry === undefined) return source;
  const common = { name: source.name, scope: entry.scope ?? source.scope, enabled: entry.enabled ?? source.enabled };
  const type = entry.type ?? source.type;
  if (type !== source.type) return { ...common, ...place(source.name, { ...entry, type }, root) };
  switch (source.type) {
    case 'sqlite':
      return { ...source, ...common, path: resolve(root, entry.path ?? source.path) };
    case 'directory':
      return {
        ...source,
        ...common,
        path: resolve(root, entry.path ?? source.path),
        exclude: entry.exclude ?? source.exclude,
      };
    case 'files':
      return {
        ...source,
        ...common,
        patterns: entry.paths ?? source.patterns,
        optional: entry.paths === undefined && source.optional,
      };
  }
}

function ownSource(name: string, entry: SourceEntry, root: string): Source {
  const scope = entry.scope ?? (entry.type === 'sqlite' ? 'databases' : name);
  // As with the default source `config`: secrets are never taken along unasked.
  const enabled = entry.enabled ?? scope !== 'config';
  return { name, scope, enabled, ...place(name, entry, root) };
}

type Place =
  | { readonly type: 'sqlite'; readonly path: string }
  | { readonly type: 'directory'; readonly path: string; readonly exclude: readonly string[] }
  | { readonly type: 'files'; readonly path: string; readonly patterns: readonly string[]; readonly optional: false };

/** `parseConfig` lets no entry through that says too little to stand alone, unless a default one completes it. */
function place(name: string, entry: SourceEntry, root: string): Place {
  if (entry.type === 'files' && entry.paths !== undefined)
    return { type: 'files', path: root, patterns: entry.paths, optional: false };
  if (entry.path === undefined) throw new TypeError(`source without a place: ${name}`);
  const path = resolve(root, entry.path);
  if (entry.type === 'sqlite') return { type: 'sqlite', path };
  if (entry.type === 'directory') return { type: 'directory', path, exclude: entry.exclude ?? [] };
  throw new TypeError(`source without a type: ${name}`);
}
