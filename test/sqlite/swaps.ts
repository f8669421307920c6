import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  linkSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { LockRequest } from '../../src/sqlite/protocol.js';
import { crashAfter, makeDatabase, type Place } from './databases.js';

/** Elsewhere it cannot be seen who has a file open. */
export const isLinux = process.platform === 'linux';

export const modes = ['wal', 'delete'] as const;
export type Mode = (typeof modes)[number];

/** A database with so many rows in table `t`. */
export function makeRows(path: string, mode: Mode, rows: number): string {
  const insert = `INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ${rows}) SELECT i FROM n`;
  return makeDatabase(path, `PRAGMA journal_mode = ${mode}; CREATE TABLE t (a); ${insert}`);
}

/** A rollback journal that has to be played back, of an application that was killed in the middle of a transaction. */
export function crashInTransaction(path: string): void {
  crashAfter(path, 'PRAGMA cache_size = 1', 'BEGIN', 'UPDATE t SET a = zeroblob(500000)', 'CREATE TABLE u (b)');
}

export function lockRequest(...paths: readonly string[]): LockRequest {
  return { databases: paths.map((path) => ({ name: path.slice(path.lastIndexOf('/') + 1), path })) };
}

/** Every file of a folder: inode, size, time and content. Read by another process, which can drop no locks of this one. */
export function traces(folder: string): Record<string, string> {
  const names = readdirSync(folder).sort();
  if (names.length === 0) return {};
  const lines = execFileSync('sha256sum', ['--', ...names], { cwd: folder, encoding: 'utf8' })
    .trim()
    .split('\n');
  return Object.fromEntries(
    names.map((name, index) => {
      const { ino, size, mtimeNs } = statSync(join(folder, name), { bigint: true });
      return [name, `${ino} ${size} ${mtimeNs} ${lines[index]!.slice(0, 64)}`];
    }),
  );
}

/** What a restore does: the old file stays under another name, and the path is never absent. */
export function swap(staged: string, live: string): string {
  const aside = `${live}.aside`;
  linkSync(live, aside);
  renameSync(staged, live);
  return aside;
}

const client = fileURLToPath(new URL('waiting-client.mjs', import.meta.url));

interface Elsewhere {
  readonly asking: number;
  readonly answering: number;
}

let elsewhere: Elsewhere | undefined;

/** One for a file of tests: it is asked often, and opens nothing of its own. */
function startElsewhere(): Elsewhere {
  const folder = mkdtempSync(join(tmpdir(), 'bkp-asked-'));
  const fifos = ['asking', 'answering'].map((name) => join(folder, name));
  execFileSync('mkfifo', fifos);
  const script = fileURLToPath(new URL('asked-client.mjs', import.meta.url));
  spawn(process.execPath, [script, ...fifos], { stdio: ['ignore', 'ignore', 'inherit'] }).unref();
  const [asking, answering] = [openSync(fifos[0]!, 'w'), openSync(fifos[1]!, 'r')];
  rmSync(folder, { recursive: true });
  return { asking, answering };
}

/** What another process gets of a database at once: the number of rows of `t`, or the code of its error. */
export function askElsewhere(path: string, ...statements: readonly string[]): number | string {
  elsewhere ??= startElsewhere();
  writeSync(elsewhere.asking, `${JSON.stringify({ path, statements })}\n`);
  const bytes = Buffer.alloc(1000);
  // A line of this length comes in one piece.
  const text = bytes.toString('utf8', 0, readSync(elsewhere.answering, bytes));
  if (text === '') throw new Error('no answer');
  return JSON.parse(text) as number | string;
}

export interface WaitingClient {
  readonly pid: number;
  readonly answer: Promise<number | string>;
}

/** A process that has opened a database and waits for its lock. */
export async function startWaiting(
  path: string,
  timeout: number,
  ...statements: readonly string[]
): Promise<WaitingClient> {
  const running = spawn(process.execPath, [client, path, String(timeout), ...statements], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    running.kill('SIGKILL');
  });
  const lines: string[] = [];
  const reader = createInterface(running.stdout).on('line', (line) => lines.push(line));
  const closed = once(running, 'close');
  await once(reader, 'line');
  return { pid: running.pid!, answer: closed.then(() => answer(lines[1])) };
}

function answer(line: string | undefined): number | string {
  if (line === undefined) throw new Error('no answer');
  return line.startsWith('{') ? (JSON.parse(line) as { n: number }).n : line;
}

/** The names in the folder of live databases. */
export function liveNames(at: Place): string[] {
  return readdirSync(at.live('.')).sort();
}
