import type { Source } from '../operations/source.js';
import type { SourceEntry } from './schema.js';

/** Where a CMS keeps its data. Absolute paths. */
export interface CmsLayout {
  readonly root: string;
  /** Folder of `system.brain` and `user.brain`. */
  readonly databases: string;
  /** Folder of `snapshots` and `uploads`. */
  readonly data: string;
  readonly storage: string;
}

/** Everything below `var`. */
export function varLayout(root: string): CmsLayout {
  const data = below(root, 'var');
  return { root, databases: data, data, storage: below(data, 'backups') };
}

/** Everything below one storage root, which may lie outside the instance's root. */
export function storageRootLayout(root: string, storageRoot: string): CmsLayout {
  return {
    root,
    databases: below(storageRoot, 'databases'),
    data: storageRoot,
    storage: below(storageRoot, 'backups'),
  };
}

function below(folder: string, name: string): string {
  return folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`;
}

/** The types of the default sources by name, in their order. */
export const cmsSourceTypes: ReadonlyMap<string, Source['type']> = new Map([
  ['system.brain', 'sqlite'],
  ['user.brain', 'sqlite'],
  ['snapshots', 'directory'],
  ['uploads', 'directory'],
  ['config', 'files'],
] as const);

/** The default sources of a CMS. `config` holds secrets and is off until asked for. */
export function cmsSources(layout: CmsLayout): readonly Source[] {
  const database = (name: string): Source => ({
    name,
    scope: 'databases',
    enabled: true,
    type: 'sqlite',
    path: below(layout.databases, name),
  });
  const folder = (name: string): Source => ({
    name,
    scope: name,
    enabled: true,
    type: 'directory',
    path: below(layout.data, name),
    exclude: [],
  });
  return [
    database('system.brain'),
    database('user.brain'),
    folder('snapshots'),
    folder('uploads'),
    {
      name: 'config',
      scope: 'config',
      enabled: false,
      type: 'files',
      path: layout.root,
      patterns: ['.env', '.env.local', '.backuprc*'],
      optional: true,
    },
  ];
}

/** Whether an entry can only be meant as a change to the default source of its name: alone it would say too little. */
export function isOverride(name: string, entry: SourceEntry): boolean {
  if (!cmsSourceTypes.has(name)) return false;
  return entry.type === undefined || (entry.path === undefined && entry.paths === undefined);
}
