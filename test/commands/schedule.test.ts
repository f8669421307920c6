import Database from 'better-sqlite3';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bkp, folder, jsonLines, lastLine, site, storageOf } from './cli.js';

const runner = (root: string) => {
  const run = (...args: string[]) => bkp(args, { cwd: root });
  return { run, json: async (...args: string[]) => lastLine(await run(...args, '--json')) };
};

function rowsOf(root: string): readonly Record<string, unknown>[] {
  const database = new Database(join(root, 'var/system.brain'), { readonly: true });
  try {
    return database.prepare('SELECT * FROM backup_schedule ORDER BY name').all() as Record<string, unknown>[];
  } finally {
    database.close();
  }
}

/** An instance that is no CMS: one database, and no place of its own for schedules. */
function plainSite(name: string, storage: string): string {
  const root = join(folder(), name);
  mkdirSync(root);
  copyFileSync(join(site(), 'var/user.brain'), join(root, 'data.db'));
  const config = `storage: ${storage}\nsources:\n  data: { type: sqlite, path: data.db }\n`;
  writeFileSync(join(root, '.backuprc'), config, { mode: 0o600 });
  return root;
}

describe('bkp schedule', () => {
  it('sets a schedule in the table of the application, and changes only what is given', async () => {
    const root = site();
    const { json } = runner(root);
    const made = await json('schedule', 'set', 'daily', '--every', 'daily', '--at', '3:05', '--keep-weekly', '4');
    expect(made).toMatchObject({ change: 'made', name: 'daily', exitCode: 0 });
    expect(made['schedule']).toMatchObject({ frequency: 'daily', timeOfDay: '03:05', keep: 7, enabled: true });
    const changed = await json('schedule', 'set', 'daily', '--keep', '3', '--scopes', 'databases,uploads');
    expect(changed).toMatchObject({ change: 'changed' });
    expect(rowsOf(root)).toMatchObject([
      {
        name: 'daily',
        frequency: 'daily',
        time_of_day: '03:05',
        keep: 3,
        scopes: 'databases,uploads',
        options: '{"keepWeekly":4}',
        enabled: 1,
      },
    ]);
  });

  it.each([
    ['a name that is taken', ['manual', '--every', 'daily'], /cannot be the name of a schedule/],
    ['no frequency', ['x', '--at', '03:00'], /needs --every/],
    ['a frequency that is none', ['x', '--every', 'dayly'], /: --every must be hourly, daily/],
    ['a time that is none', ['x', '--every', 'daily', '--at', '25:99'], /: --at must be a time/],
    ['a day for a daily one', ['x', '--every', 'daily', '--on', 'mon'], /--on mon says nothing/],
    ['a day of no month', ['x', '--every', 'monthly', '--on', '32'], /: --on must be/],
    ['a zone that is none', ['x', '--every', 'daily', '--timezone', 'Mars/Base'], /: --timezone must be/],
    ['nothing to keep', ['x', '--every', 'daily', '--keep', '0'], /: --keep must be/],
    ['a scope that no source has', ['x', '--every', 'daily', '--scopes', 'upload'], /Did you mean uploads/],
    ['an encrypted tar.gz', ['x', '--every', 'daily', '--encrypt', '--format', 'tar.gz'], /needs the format zip/],
  ])('refuses %s, and changes nothing', async (_what, args, says) => {
    const root = site();
    const ran = await bkp(['schedule', 'set', ...args], { cwd: root });
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toMatch(says);
    expect((await runner(root).json('schedule', 'list'))['counts']).toEqual({ schedules: 0, invalid: 0 });
  });

  it('lists, switches and removes; names what is not there', async () => {
    const root = site();
    const { run, json } = runner(root);
    await run('schedule', 'set', 'daily', '--every', 'daily');
    await run('schedule', 'set', 'weekly', '--every', 'weekly', '--on', 'sun', '--disabled');
    const lines = jsonLines(await run('schedule', 'list', '--json')).filter(({ type }) => type === 'schedule');
    expect(lines).toMatchObject([
      { name: 'daily', enabled: true, due: false, lastRun: null, lastOutcome: null },
      { name: 'weekly', enabled: false, dayOfWeek: 'sun', next: null },
    ]);
    expect(await json('schedule', 'enable', 'weekly')).toMatchObject({ change: 'enabled', name: 'weekly' });
    expect(await json('schedule', 'disable', 'daily')).toMatchObject({ change: 'disabled' });
    expect((await run('schedule', 'list')).stdout).toMatch(/^daily .* off$/m);
    expect(await json('schedule', 'remove', 'daily')).toMatchObject({ change: 'removed', schedule: null });
    const gone = await run('schedule', 'remove', 'daily');
    expect(gone).toMatchObject({ code: 10 });
    expect(gone.stderr).toContain('There are: weekly.');
  });

  it('tells the next slots of one or of all, in their zones', async () => {
    const root = site();
    const { run, json } = runner(root);
    await run('schedule', 'set', 'monthly', '--every', 'monthly', '--on', '31', '--timezone', 'Asia/Kathmandu');
    await run('schedule', 'set', 'off', '--every', 'daily', '--disabled');
    const slots = (await json('schedule', 'next', 'monthly', '-n', '12'))['slots'] as { readonly time: string }[];
    expect(slots).toHaveLength(12);
    expect(slots.every(({ time }) => time.endsWith('T21:45:00Z'))).toBe(true);
    expect((await json('schedule', 'next'))['slots']).toHaveLength(1);
    expect(await run('schedule', 'next', '-n', '0')).toMatchObject({ code: 2 });
  });

  it('shows a row that another program made nonsense of, and lets it be removed', async () => {
    const root = site();
    const { run, json } = runner(root);
    await run('schedule', 'set', 'daily', '--every', 'daily');
    await run('schedule', 'set', 'hourly', '--every', 'hourly');
    const database = new Database(join(root, 'var/system.brain'));
    database.prepare("UPDATE backup_schedule SET time_of_day = '25:99' WHERE name = 'daily'").run();
    database.close();
    const listed = await run('schedule', 'list');
    expect(listed.stdout).toMatch(/cannot be used: daily: time_of_day must be a time .* not "25:99"/);
    expect(listed.stdout).toMatch(/^hourly /m);
    expect(await json('schedule', 'remove', 'daily')).toMatchObject({ change: 'removed' });
  });

  it('keeps the schedules of instances that share a storage apart, in its schedules.json', async () => {
    const storage = join(folder(), 'storage');
    const [one, other] = [plainSite('one', storage), plainSite('other', storage)];
    await runner(one).run('schedule', 'set', 'daily', '--every', 'daily');
    await runner(other).run('schedule', 'set', 'daily', '--every', 'weekly');
    await runner(one).run('schedule', 'set', 'daily', '--keep', '3');
    const listed = await Promise.all([one, other].map((root) => bkp(['schedule', 'list', '--json'], { cwd: root })));
    const schedules = listed.map((ran) => jsonLines(ran).filter(({ type }) => type === 'schedule'));
    expect(schedules).toMatchObject([[{ frequency: 'daily', keep: 3 }], [{ frequency: 'weekly', keep: 7 }]]);
    await runner(other).run('schedule', 'remove', 'daily');
    expect(JSON.parse(readFileSync(join(storage, 'schedules.json'), 'utf8'))).toMatchObject({
      schedules: [{ frequency: 'daily' }],
    });
  });

  it('shows without making a storage or a table', async () => {
    const root = site();
    expect(await bkp(['schedule', 'list'], { cwd: root })).toMatchObject({ code: 0, stderr: '' });
    expect(existsSync(storageOf(root))).toBe(false);
    const database = new Database(join(root, 'var/system.brain'), { readonly: true });
    expect(database.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'backup_schedule'").get()).toEqual({
      n: 0,
    });
    database.close();
  });
});
