// An application that commits once to each database, and dies with its connections open: what it wrote lies in the `-wal`
// where there is one. node in-place-application.mjs <id> <database…>; one that is not there is left out. Prints, as JSON,
// those it committed to.
import { existsSync, writeSync } from 'node:fs';
import Database from 'better-sqlite3';

const [id, ...paths] = process.argv.slice(2);
const open = paths
  .filter((path) => existsSync(path))
  .map((path) => [path, new Database(path, { fileMustExist: true })]);
for (const [, db] of open) {
  db.pragma('wal_autocheckpoint = 0');
  db.prepare('INSERT INTO application (id) VALUES (?)').run(id);
}
writeSync(1, JSON.stringify(open.map(([path]) => path)));
process.kill(process.pid, 'SIGKILL');
