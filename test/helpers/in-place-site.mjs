// An instance with every kind of place that a restore in place knows, in two states. Plain JavaScript: the kill test in
// bench runs it without a compiler.
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';

const fixture = fileURLToPath(new URL('../../fixtures/site', import.meta.url));

/** Paths below the root. `app/pages/inner.db` is a database inside a folder source, and no source of its own. */
export const databases = ['var/system.brain', 'var/user.brain', 'app/data/data.db', 'app/pages/inner.db'];

/** The two that a CMS commits to; they are never absent. */
export const alwaysThere = databases.slice(0, 2);

/** `media` holds the storage, and so is swapped child by child; `data` holds a source of its own. */
export const sourcesOf = (root) => [
  { name: 'system.brain', type: 'sqlite', path: join(root, 'var/system.brain'), scope: 'databases', enabled: true },
  { name: 'user.brain', type: 'sqlite', path: join(root, 'var/user.brain'), scope: 'databases', enabled: true },
  { name: 'data.db', type: 'sqlite', path: join(root, 'app/data/data.db'), scope: 'databases', enabled: true },
  ...[
    ['data', 'app/data'],
    ['pages', 'app/pages'],
    ['media', 'media'],
    ['snapshots', 'var/snapshots'],
    ['uploads', 'var/uploads'],
  ].map(([name, path]) => {
    return { name, type: 'directory', path: join(root, path), scope: name, enabled: true, exclude: ['cache/**'] };
  }),
  { name: 'config', type: 'files', path: root, scope: 'config', enabled: true, patterns: ['.env*', 'conf/*.json'] },
];

export const storageOf = (root) => join(root, 'media/backups');

export function makeSite(root, files) {
  cpSync(fixture, root, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  for (const folder of ['app/data/sub', 'app/pages/cache', 'media', 'conf', 'var/uploads/cache']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  for (let n = 0; n < files; n++) {
    const folder = join(root, ['var/uploads/many', 'app/pages', 'media', 'app/data/sub'][n % 4], `d${n % 7}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `f${n}`), `first ${n}\n`.repeat(n % 50));
  }
  for (let n = 0; n < 30; n++) writeFileSync(join(root, 'media', `m${n}.txt`), `first ${n}`);
  symlinkSync('m0.txt', join(root, 'media/link'));
  writeFileSync(join(root, 'conf/a.json'), '{"generation":"first"}');
  for (const path of ['app/data/data.db', 'app/pages/inner.db']) {
    const db = new Database(join(root, path));
    db.pragma('journal_mode = WAL');
    db.exec('CREATE TABLE things (n INTEGER PRIMARY KEY, text TEXT)');
    db.close();
  }
  for (const path of databases) {
    write(join(root, path), (db) => {
      db.exec('CREATE TABLE application (id TEXT); CREATE TABLE generation (name TEXT)');
      db.exec("INSERT INTO generation VALUES ('first')");
    });
  }
}

/** The second state: rows, and files that came, went and changed in every source. */
export function changeSite(root) {
  for (const path of databases) {
    write(join(root, path), (db) => {
      db.exec("UPDATE generation SET name = 'second'; CREATE TABLE more (n INTEGER, pad BLOB)");
      for (let n = 0; n < 200; n++) db.prepare('INSERT INTO more VALUES (?, zeroblob(500))').run(n);
    });
  }
  for (const folder of ['var/uploads/many/d1', 'app/pages/d2', 'media/d3', 'app/data/sub/d4', 'var/snapshots']) {
    mkdirSync(join(root, folder), { recursive: true });
    for (const name of readdirSync(join(root, folder)).slice(0, 2))
      rmSync(join(root, folder, name), { recursive: true });
    writeFileSync(join(root, folder, 'second'), 'second');
  }
  for (let n = 0; n < 30; n += 2) writeFileSync(join(root, 'media', `m${n}.txt`), `second ${n}`);
  for (let n = 1; n < 30; n += 6) rmSync(join(root, 'media', `m${n}.txt`));
  for (let n = 0; n < 20; n++) writeFileSync(join(root, 'media', `new${n}.txt`), 'second');
  writeFileSync(join(root, '.env'), 'GENERATION=second\n');
  writeFileSync(join(root, 'conf/a.json'), '{"generation":"second"}');
  for (const folder of ['var/uploads/cache', 'app/pages/cache']) writeFileSync(join(root, folder, 'kept'), 'cached');
}

export const smallDatabases = ['app/own.db', 'app/data/data.db', 'app/pages/inner.db'];

/** A few files in every kind of place, with databases of their own; `.backuprc.json` describes it. */
export function makeSmallSite(root) {
  for (const folder of ['app/data/sub', 'app/pages/sub', 'app/pages/cache', 'media']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  for (const path of ['app/data/a', 'app/data/sub/b', 'app/pages/c', 'app/pages/sub/d', 'media/e', 'media/f', '.env']) {
    writeFileSync(join(root, path), `first ${path}\n`);
  }
  symlinkSync('c', join(root, 'app/pages/link'));
  for (const path of smallDatabases) {
    const db = new Database(join(root, path));
    db.pragma(`journal_mode = ${path === 'app/data/data.db' ? 'DELETE' : 'WAL'}`);
    db.exec('CREATE TABLE application (id TEXT); CREATE TABLE generation (name TEXT)');
    db.exec("INSERT INTO generation VALUES ('first')");
    db.close();
  }
  const sources = {
    'own.db': { type: 'sqlite', path: 'app/own.db' },
    'data.db': { type: 'sqlite', path: 'app/data/data.db' },
    data: { type: 'directory', path: 'app/data' },
    pages: { type: 'directory', path: 'app/pages', exclude: ['cache/**'] },
    media: { type: 'directory', path: 'media' },
    settings: { type: 'files', paths: ['.env'] },
  };
  writeFileSync(join(root, '.backuprc.json'), JSON.stringify({ storage: 'media/backups', sources }), { mode: 0o600 });
}

export function changeSmallSite(root) {
  for (const path of smallDatabases) {
    write(join(root, path), (db) => db.exec("UPDATE generation SET name = 'second'"));
  }
  for (const path of [
    'app/data/a',
    'app/data/new',
    'app/pages/sub/d',
    'app/pages/new',
    'media/e',
    'media/new',
    '.env',
  ]) {
    writeFileSync(join(root, path), `second ${path}\n`);
  }
  rmSync(join(root, 'app/data/sub/b'));
  writeFileSync(join(root, 'app/pages/cache/kept'), 'cached');
}

function write(path, action) {
  const db = new Database(path, { fileMustExist: true });
  action(db);
  db.close();
}

/** By path: hash, mode and modification time in seconds of all that sources hold; of databases their rows. */
export function stateOf(root) {
  const state = {};
  const look = (path) => {
    const name = relative(root, path);
    if (isLeftOut(name)) return;
    // A source may lie elsewhere.
    const stat = name === 'var/uploads' ? statSync(path) : lstatSync(path);
    if (stat.isDirectory()) {
      if (path !== root) state[name] = `folder ${stat.mode.toString(8)}`;
      for (const child of readdirSync(path)) look(join(path, child));
    } else if (stat.isSymbolicLink()) state[name] = `link ${readlinkSync(path)}`;
    else if (/\.(?:brain|db)$/.test(name)) state[name] = rowsOf(path);
    else state[name] = `${hash(readFileSync(path))} ${stat.mode.toString(8)} ${Math.floor(stat.mtimeMs / 1000)}`;
  };
  look(root);
  return state;
}

/** What is never part of a source; sidecars are another question. */
const isLeftOut = (name) => /^(?:\.bkp-|media\/backups(?:\/|$))|\.(?:brain|db)-(?:wal|shm|journal)$/.test(name);

/** What is excluded is the second state's in both. */
export function restoredState(first, second) {
  const isExcluded = (name) => /\/cache\//.test(name);
  const picked = [
    ...Object.entries(first).filter(([name]) => !isExcluded(name)),
    ...Object.entries(second).filter(([name]) => isExcluded(name)),
  ];
  return Object.fromEntries(picked);
}

const hash = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

/** Of a private copy: a look at a live one would bring its sidecars in. What the application committed is told apart. */
export function rowsOf(path) {
  return inCopy(path, (db) => {
    if (db.pragma('integrity_check', { simple: true }) !== 'ok') return 'damaged';
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 ORDER BY name");
    const rows = tables
      .pluck()
      .all()
      .filter((name) => name !== 'application')
      .map((name) => [name, db.prepare(`SELECT * FROM "${name}"`).raw().all()]);
    return hash(JSON.stringify(rows));
  });
}

export const committedTo = (path) =>
  inCopy(path, (db) => db.prepare('SELECT id FROM application ORDER BY id').pluck().all());

let copies = 0;
function inCopy(path, action) {
  const copy = join(tmpdir(), `copy-${process.pid}-${copies++}`);
  const suffixes = ['', '-wal', '-journal'].filter((suffix) => existsSync(`${path}${suffix}`));
  for (const suffix of suffixes) cpSync(`${path}${suffix}`, `${copy}${suffix}`);
  try {
    const db = new Database(copy);
    const found = action(db);
    db.close();
    return found;
  } finally {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${copy}${suffix}`, { force: true });
  }
}

/** All files and links below a folder. */
export function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)],
  );
}
