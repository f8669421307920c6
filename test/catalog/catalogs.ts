import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import { entryPoint } from '../../src/base/entry-point.js';
import { openCatalog, type Catalog } from '../../src/catalog/catalog.js';

/** A clock that only goes where it is sent. */
export class TestClock {
  #now = Date.UTC(2025, 9, 30, 12);

  pass(milliseconds: number): void {
    this.#now += milliseconds;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }
}

export async function catalogIn(folder: string, clock = new TestClock()): Promise<Catalog> {
  const catalog = await openCatalog(folder, clock);
  onTestFinished(() => catalog.close());
  return catalog;
}

export const catalogFile = (folder: string): string => join(folder, 'catalog.db');

/** Looks into a catalogue past its interface. */
export function query<T>(folder: string, sql: string): T[] {
  const db = new Database(catalogFile(folder), { readonly: true });
  try {
    return db.prepare<[], T>(sql).all();
  } finally {
    db.close();
  }
}

export function change(folder: string, sql: string): void {
  const db = new Database(catalogFile(folder));
  db.exec(sql);
  db.close();
}

/** A process that records one run after the other until it is killed, or `runs` of them. */
export function startRecording(folder: string, runs: number): ChildProcess {
  const script = fileURLToPath(new URL('recording.mjs', import.meta.url));
  const module = pathToFileURL(entryPoint('catalog/catalog.js')).href;
  const child = spawn(process.execPath, [script, module, folder, String(runs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

export async function endOf(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}
