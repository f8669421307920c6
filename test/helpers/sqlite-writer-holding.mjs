// An application that holds one database: node sqlite-writer-holding.mjs <file> <statement…>; prints "ready" after them and stays.
import Database from 'better-sqlite3';

const [file, ...statements] = process.argv.slice(2);
const db = new Database(file, { timeout: 5000 });
for (const statement of statements) db.exec(statement);
console.log('ready');
// With nothing else to wait for it would end, and close the database.
setTimeout(() => db.close(), 2 ** 30);
