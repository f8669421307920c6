import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { chmod, mkdir, mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { expect, onTestFinished } from 'vitest';
import type { CheckBudget } from '../../src/sqlite/check-budget.js';
import { openSqliteChild, type SqliteChild } from '../../src/sqlite/client.js';
import type { DatabaseSnapshot, SnapshotRequest } from '../../src/sqlite/protocol.js';

/** A folder of its own for one test: `live` for databases, `copies` for what the child makes. */
export interface Place {
  readonly root: string;
  live(name: string): string;
  copy(name: string): string;
}

export async function place(): Promise<Place> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'bkp-sqlite-')));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  await mkdir(join(root, 'live'));
  await mkdir(join(root, 'copies'));
  await chmod(root, 0o755);
  return { root, live: (name) => join(root, 'live', name), copy: (name) => join(root, 'copies', name) };
}

export function childForTest(signal?: AbortSignal, checkBudget?: CheckBudget): SqliteChild {
  const child = openSqliteChild({
    ...(signal === undefined ? {} : { signal }),
    ...(checkBudget === undefined ? {} : { checkBudget }),
  });
  onTestFinished(() => child.close());
  return child;
}

let shared: SqliteChild | undefined;

/**
 * One for all tests of a process whose requests leave nothing held and do not end it. A test that has given up our rights gets
 * one of its own, which has them not.
 */
export function sharedChild(): SqliteChild {
  if (process.geteuid?.() !== process.getuid?.()) return childForTest();
  shared ??= openSqliteChild();
  return shared;
}

/** Makes a database with the statements run in it, closed. */
export function makeDatabase(
  path: string,
  ...statements: readonly (string | ((db: Database.Database) => void))[]
): string {
  const db = new Database(path);
  for (const statement of statements) {
    if (typeof statement === 'string') db.exec(statement);
    else statement(db);
  }
  db.close();
  return path;
}

/** Rewrites the stored text of the schema, as a database made by another program may have it. */
export function storedSchema(name: string, sql: string): (db: Database.Database) => void {
  return (db) => {
    db.unsafeMode();
    db.pragma('writable_schema = ON');
    db.prepare('UPDATE sqlite_schema SET sql = ? WHERE name = ?').run(sql, name);
  };
}

/** Overwrites the n-th page (from 1, of 4096 bytes) with noise. */
export function overwritePage(path: string, page: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, (page - 1) * 4096);
  closeSync(file);
}

/** Asks something of a database that nobody else uses. */
export function readDatabase<T>(path: string, sql: string): T[] {
  const db = new Database(path, { readonly: true, fileMustExist: true });
  try {
    return db.prepare<[], T>(sql).all();
  } finally {
    db.close();
  }
}

export function snapshotOf(at: Place, ...names: readonly string[]): SnapshotRequest {
  const databases = names.map((name) => ({ name, path: at.live(name), destination: at.copy(name) }));
  return { databases, maxPause: 4000, group: 1 };
}

export type OfKind<K extends DatabaseSnapshot['kind']> = DatabaseSnapshot & { readonly kind: K };

export function expectKind<K extends DatabaseSnapshot['kind']>(
  kind: K,
  found: DatabaseSnapshot | undefined,
): OfKind<K> {
  if (found?.kind !== kind) throw new Error(`expected ${kind}, found ${JSON.stringify(found)}`);
  return found as OfKind<K>;
}

/** As vitest's matchers, without their `any`. */
export function containing(text: string): unknown {
  return expect.stringContaining(text);
}

export function matching(pattern: RegExp): unknown {
  return expect.stringMatching(pattern);
}

export function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Every file of a folder with its sum. */
export function sums(folder: string): Record<string, string> {
  return Object.fromEntries(readdirSync(folder).map((name) => [name, sha256(join(folder, name))]));
}

const helper = (name: string): string => fileURLToPath(new URL(`../helpers/${name}`, import.meta.url));

/** An application in a process of its own; resolves when it says it is ready. */
export async function startApplication(script: string, ...args: readonly string[]): Promise<ChildProcess> {
  const application = spawn(process.execPath, [helper(script), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    application.kill('SIGKILL');
  });
  await new Promise<void>((resolve, reject) => {
    application.stdout.once('data', () => resolve());
    application.once('exit', () => reject(new Error(`${script} ended`)));
  });
  return application;
}

export interface WriterReport {
  readonly commits: number;
  readonly errors: readonly string[];
}

/** Ends a writer and takes what it says of its run. */
export async function stopWriter(writer: ChildProcess): Promise<WriterReport> {
  if (writer.stdout === null) throw new Error('no standard output');
  const lines = createInterface(writer.stdout);
  const line = once(lines, 'line') as Promise<[string]>;
  writer.kill('SIGTERM');
  const [text] = await line;
  return JSON.parse(text) as WriterReport;
}

const sidecars = ['', '-wal', '-shm', '-journal'] as const;

/**
 * Leaves a database as statements would of a process that was killed behind them, with its sidecars: they are run in a copy,
 * of which all files are put in its place while it is open.
 */
export function crashAfter(path: string, ...statements: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'bkp-crash-'));
  const copy = join(folder, 'x.db');
  const copyAll = (from: string, to: string): void => {
    for (const suffix of sidecars) {
      if (existsSync(from + suffix)) copyFileSync(from + suffix, to + suffix);
      else rmSync(to + suffix, { force: true });
    }
  };
  copyAll(path, copy);
  const db = new Database(copy);
  try {
    for (const statement of statements) db.exec(statement);
    copyAll(copy, path);
  } finally {
    db.close();
    rmSync(folder, { recursive: true });
  }
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
