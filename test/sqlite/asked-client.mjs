// An application that stays, and has no database open but while it is asked: node asked-client.mjs <fifo> <fifo>.
// Takes a line of JSON {path, statements} from the first, and writes to the second what came of it: the number of rows of `t`
// or the code of the error.
import { openSync, readSync, writeSync } from 'node:fs';
import Database from 'better-sqlite3';

const [asking, answering] = [openSync(process.argv[2], 'r'), openSync(process.argv[3], 'w')];

function answer({ path, statements }) {
  const db = new Database(path, { timeout: 0, fileMustExist: true });
  try {
    for (const statement of statements) db.exec(statement);
    return db.prepare('SELECT count(*) FROM t').pluck().get();
  } catch (error) {
    return error.code;
  } finally {
    db.close();
  }
}

const bytes = Buffer.alloc(65536);
let text = '';
for (;;) {
  const count = readSync(asking, bytes);
  // Whoever asked has ended.
  if (count === 0) break;
  text += bytes.toString('utf8', 0, count);
  if (!text.endsWith('\n')) continue;
  writeSync(answering, `${JSON.stringify(answer(JSON.parse(text)))}\n`);
  text = '';
}
