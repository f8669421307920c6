import Database from 'better-sqlite3';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createJournal } from '../../src/fs/journal.js';
import { planSwap } from '../../src/fs/swap-plan.js';
import { bkp, lastLine, preparedSite, storageOf, type Line, type Ran, type RunOptions } from './cli.js';

/** Calls of bkp in the root of one instance. */
export interface Calls {
  readonly root: string;
  readonly run: (...args: readonly string[]) => Promise<Ran>;
  /** The last line of its JSON. */
  readonly json: (...args: readonly string[]) => Promise<Line>;
  readonly with: (env: NonNullable<RunOptions['env']>) => Calls;
}

export function callsIn(root: string, env: NonNullable<RunOptions['env']> = {}): Calls {
  const run = (...args: readonly string[]): Promise<Ran> => bkp(args, { cwd: root, env });
  return {
    root,
    run,
    json: async (...args) => lastLine(await run(...args, '--json')),
    with: (more) => callsIn(root, { ...env, ...more }),
  };
}

/** Half a day ago: no test meets a slot while it runs. */
const at = new Date(Date.now() - 12 * 60 * 60 * 1000).toISOString().slice(11, 16);
const halfADayAgo = ['--every', 'daily', '--at', at, '--timezone', 'UTC'];

/** A copy of the small instance with schedules: each a name with its flags. They back up its databases alone. */
export async function scheduledSite(
  schedules: Readonly<Record<string, readonly string[]>> = { daily: [] },
  config?: string,
): Promise<Calls> {
  const name = `scheduled ${JSON.stringify([schedules, config])}`;
  const { root } = await preparedSite(name, async (prepared) => {
    if (config !== undefined) writeFileSync(join(prepared, '.backuprc'), config, { mode: 0o600 });
    for (const [schedule, flags] of Object.entries(schedules)) await setSchedule(callsIn(prepared), schedule, flags);
  });
  return callsIn(root);
}

/** Makes one that is due once a day and backs up the databases, where its flags say nothing else. */
export async function setSchedule({ run }: Calls, name: string, flags: readonly string[] = []): Promise<void> {
  const scopes = flags.includes('--scopes') ? [] : ['--scopes', 'databases'];
  const ran = await run('schedule', 'set', name, ...halfADayAgo, ...scopes, ...flags);
  if (ran.code !== 0) throw new Error(ran.stderr);
}

/** Changes a database as another program would. */
export function change(path: string, sql: string, ...values: readonly unknown[]): void {
  const database = new Database(path);
  try {
    database.prepare(sql).run(...values);
  } finally {
    database.close();
  }
}

export const catalogOf = (root: string): string => join(storageOf(root), 'catalog.db');

export const changeSchedules = (root: string, sql: string, ...values: readonly unknown[]): void =>
  change(join(root, 'var/system.brain'), sql, ...values);

/** What the schedules ask for counts from long ago: the slot of half a day ago is due. */
export function makeDue(root: string): void {
  const old = '2020-01-01T00:00:00Z';
  changeSchedules(root, 'UPDATE backup_schedule SET created_at = ?, updated_at = ?', old, old);
}

/** A restore in place that was killed after its journal was written, before the first move. */
export async function interruptRestore(root: string): Promise<void> {
  const room = join(root, '.bkp-restore');
  mkdirSync(join(room, 'stage'), { recursive: true, mode: 0o700 });
  const live = join(root, 'var/uploads/a.txt');
  const staged = join(room, 'stage/0');
  for (const file of [live, staged]) writeFileSync(file, 'content');
  await createJournal(room, await planSwap(room, [{ kind: 'file', live, staged, room }]));
}
