/** What is left out of a folder, as a glob matched inside it, and why. */
export interface Exclusion {
  readonly glob: string;
  readonly why: string;
}

/** How an application lays out its data. All names as its documentation and defaults have them. */
export interface KnownLayout {
  readonly application: string;
  /** Where its data folder may lie below the root; `.`: the root is the data folder, as with a volume of a container. */
  readonly folders: readonly string[];
  /** Its database by its place in the data folder: any of these. */
  readonly databases: readonly string[];
  /** Where the names of folder and database would not tell: any of these paths below the data folder is there as well. */
  readonly signs: readonly string[];
  readonly exclude: readonly Exclusion[];
  /** Databases in it, by the beginnings or ends of their names, that are not worth keeping. */
  readonly disposable: readonly { readonly name: RegExp; readonly why: string }[];
  /** Folders below the root that belong to it too. */
  readonly beside: readonly { readonly path: string; readonly about: string }[];
  /** What a person has to know of it. */
  readonly advice?: string;
}

export const knownLayouts: readonly KnownLayout[] = [
  {
    application: 'PocketBase',
    folders: ['pb_data', '.'],
    databases: ['data.db'],
    signs: ['auxiliary.db', 'logs.db', 'types.d.ts', 'storage'],
    exclude: [
      { glob: 'backups/**', why: "PocketBase's own backups" },
      { glob: '.pb_temp_to_delete/**', why: 'emptied at each start' },
    ],
    disposable: [],
    beside: [
      { path: 'pb_migrations', about: 'The schema as code.' },
      { path: 'pb_hooks', about: 'Server-side JavaScript.' },
      { path: 'pb_public', about: 'Static files.' },
    ],
  },
  {
    application: 'Vaultwarden',
    folders: ['data', 'vw-data', '.'],
    databases: ['db.sqlite3'],
    signs: ['rsa_key.pem', 'rsa_key.der', 'icon_cache'],
    exclude: [
      { glob: 'icon_cache/**', why: 'fetched again' },
      { glob: 'tmp/**', why: 'uploads on their way' },
    ],
    disposable: [],
    beside: [],
  },
  {
    application: 'Ghost',
    folders: ['content', '.'],
    databases: ['data/ghost.db', 'data/ghost-dev.db', 'data/ghost-local.db', 'data/ghost-prod.db'],
    signs: [],
    exclude: [{ glob: 'logs/**', why: 'logs' }],
    disposable: [],
    beside: [],
  },
  {
    application: 'Rails',
    folders: ['storage', '.'],
    databases: ['production.sqlite3', 'development.sqlite3'],
    signs: ['../config.ru', '../Gemfile', '../bin/rails', 'production_queue.sqlite3', 'production_cache.sqlite3'],
    exclude: [],
    disposable: [
      { name: /_cache\.sqlite3$/, why: 'Solid Cache fills it again' },
      { name: /^test(?:[_-].*)?\.sqlite3$/, why: 'made anew by each test run' },
    ],
    beside: [],
  },
  {
    application: 'Uptime Kuma',
    folders: ['data', '.'],
    databases: ['kuma.db'],
    signs: [],
    exclude: [{ glob: 'kuma.db.bak*', why: 'copies that an upgrade made' }],
    disposable: [],
    beside: [],
  },
  {
    application: 'Gitea',
    folders: ['data', 'gitea', '.'],
    databases: ['gitea.db', 'forgejo.db'],
    signs: [],
    exclude: [
      { glob: 'indexers/**', why: 'search indexes, built again' },
      { glob: 'sessions/**', why: 'who is logged in' },
      { glob: 'tmp/**', why: 'uploads on their way' },
      { glob: 'log/**', why: 'logs' },
    ],
    disposable: [],
    beside: [
      { path: 'custom', about: 'conf/app.ini with the keys that encrypt what is in the database, and templates.' },
      { path: 'git', about: 'Repositories and large files, as in the container image.' },
      { path: 'ssh', about: "The server's SSH keys, as in the container image." },
    ],
    advice: 'Repositories that [repository] ROOT in app.ini puts elsewhere need a source of their own.',
  },
];

/** What lies in a folder of code, or beside the volumes of a container, and not in a folder of nothing but data. */
export const codeSigns: readonly string[] = [
  ...['package.json', 'composer.json', 'Gemfile', 'go.mod', 'Cargo.toml', 'requirements.txt', 'pyproject.toml'],
  ...['manage.py', 'mix.exs', 'pom.xml', 'build.gradle', 'Makefile', 'Dockerfile', 'index.php', 'artisan'],
  ...['.git', 'node_modules', 'vendor', 'src', 'bin', 'lib', 'app'],
];

/** Folders of these names hold data in many applications, at the top or in one of the folders below. */
export const dataNames: readonly string[] = [
  ...['data', 'storage', 'uploads', 'upload', 'media', 'files', 'attachments', 'avatars', 'images', 'documents'],
  ...['content', 'snapshots', 'userdata', 'user-data'],
];
export const dataParents: readonly string[] = ['var', 'public', 'static', 'web'];

/** Files below the root that configure an application and often hold secrets. */
export const configurationFiles: readonly string[] = [
  '.env',
  '.env.local',
  '.env.production',
  'docker-compose.yml',
  'docker-compose.yaml',
  'compose.yml',
  'compose.yaml',
  'config.production.json',
  'config.json',
  'config.yml',
  'config.yaml',
  'config/master.key',
  'config/credentials.yml.enc',
  'config/credentials/production.key',
];

/** Every file that one has to know of to recognise a layout. */
export function wantedFiles(): ReadonlySet<string> {
  const signs = knownLayouts.flatMap(({ folders, signs: below }) =>
    folders.flatMap((folder) => below.map((sign) => pathBelow(folder, sign))),
  );
  return new Set([...configurationFiles, ...codeSigns, ...signs]);
}

/** `..` at the beginning of the second leads out of the first. */
export function pathBelow(folder: string, path: string): string {
  if (path.startsWith('../')) return path.slice('../'.length);
  return folder === '.' ? path : `${folder}/${path}`;
}
