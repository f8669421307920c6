// An application: commits to two databases in one transaction, as fast as it can, with the usual busy timeout.
// node sqlite-writer.mjs <main> <attached> <id>; prints "ready", and at SIGTERM "commits <n> errors <n>".
import Database from 'better-sqlite3';

const [main, attached, id] = process.argv.slice(2);
const db = new Database(main, { timeout: 5000 });
db.prepare('ATTACH ? AS other').run(attached);
const step = db.transaction((pad) => {
  for (const table of ['main.counter', 'other.counter']) {
    db.prepare(`UPDATE ${table} SET n = n + 1`).run();
    db.prepare(`INSERT INTO ${table.replace('counter', 'log')} (writer, pad) VALUES (?, ?)`).run(id, pad);
  }
});

let commits = 0;
const errors = [];
let running = true;
process.on('SIGTERM', () => {
  running = false;
});
console.log('ready');
while (running) {
  try {
    step.immediate(Buffer.alloc(2000, commits & 0xff));
    commits++;
  } catch (error) {
    errors.push(`${error.code} ${error.message}`);
  }
  await new Promise((resolve) => setTimeout(resolve, 0));
}
db.close();
console.log(JSON.stringify({ commits, errors }));
