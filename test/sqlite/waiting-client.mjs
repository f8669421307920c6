// An application's request: opens a database, says "open", waits for its lock for so many milliseconds, and says what came of it.
// node waiting-client.mjs <file> <milliseconds> <statement…>
import Database from 'better-sqlite3';

const [file, timeout, ...statements] = process.argv.slice(2);
const db = new Database(file, { timeout: Number(timeout), fileMustExist: true });
console.log('open');
try {
  for (const statement of statements) db.exec(statement);
  console.log(JSON.stringify(db.prepare('SELECT count(*) AS n FROM t').get()));
} catch (error) {
  console.log(error.code);
}
db.close();
