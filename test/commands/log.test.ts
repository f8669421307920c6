import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonLines, namesIn, storageOf, type Line, type Ran } from './cli.js';
import { catalogOf, scheduledSite } from './scheduled.js';

const ofType = (ran: Ran, type: string): readonly Line[] => jsonLines(ran).filter((line) => line.type === type);

describe('bkp log', () => {
  it('shows the latest run, one by its number, and the list of them', async () => {
    const { root, run, json } = await scheduledSite();
    const { id } = await json('create', '--schedule', 'daily');
    rmSync(join(root, 'var/user.brain'));
    expect(await run('create', '--schedule', 'daily')).toMatchObject({ code: 3 });
    const latest = await run('log', '--json');
    expect(latest.code).toBe(0);
    expect(ofType(latest, 'run')).toMatchObject([
      { run: 2, kind: 'create', schedule: 'daily', state: 'incomplete', runExitCode: 3 },
    ]);
    expect(ofType(latest, 'recorded-finding')).toMatchObject([{ kind: 'loss', source: 'user.brain' }]);
    const first = await run('log', '1');
    expect(first.stdout).toMatch(/^Run 1: create of schedule daily, done \(exit 0\)\n {2}started /);
    expect(first.stdout).toContain(`  backup   ${String(id)} (`);
    expect(first.stdout).toMatch(/^\d\d:\d\d:\d\d {2}copied 2 databases/m);
    expect(ofType(await run('log', '--list', '--json'), 'run').map((line) => line['run'])).toEqual([2, 1]);
    expect(ofType(await run('log', '--list', '--limit', '1', '--json'), 'run')).toMatchObject([{ run: 2 }]);
    expect(ofType(await run('log', '--list', '--schedule', 'other', '--json'), 'run')).toEqual([]);
  });

  it('tells what is not remembered, and what cannot be meant', async () => {
    const { root, run } = await scheduledSite();
    expect(await run('log')).toMatchObject({ code: 10, stdout: '' });
    expect(existsSync(storageOf(root))).toBe(false);
    await run('create', '--only', 'user.brain');
    const unknown = await run('log', '41');
    expect(unknown).toMatchObject({ code: 10, stdout: '' });
    expect(unknown.stderr).toMatch(/^error: run 41 is not remembered in /);
    for (const args of [['x'], ['0'], ['1', '--list'], ['--list', '--limit', '0']]) {
      expect(await run('log', ...args), args.join(' ')).toMatchObject({ code: 2, stdout: '' });
    }
    writeFileSync(catalogOf(root), 'no database at all '.repeat(1000));
    const before = namesIn(storageOf(root));
    expect(await run('log')).toMatchObject({ code: 1, stdout: '' });
    // Who only looks moves nothing aside.
    expect(namesIn(storageOf(root))).toEqual(before);
  });

  it('holds no passphrase, however a run with one ended', async () => {
    const calls = await scheduledSite({ daily: ['--encrypt'] });
    const secret = 'correct horse battery';
    const withSecret = calls.with({ BKP_PASSPHRASE: secret });
    expect(await withSecret.json('create', '--schedule', 'daily')).toMatchObject({ encrypted: true });
    expect(await withSecret.run('verify', 'latest')).toMatchObject({ code: 0 });
    const wrong = 'another one that is wrong';
    expect(await calls.with({ BKP_PASSPHRASE: wrong }).run('verify', 'latest')).toMatchObject({ code: 12 });
    const kinds = ofType(await calls.run('log', '--list', '--json'), 'run').map((line) => line['kind']);
    expect(kinds).toEqual(['verify', 'verify', 'create']);
    for (const name of namesIn(storageOf(calls.root))) {
      const bytes = readFileSync(join(storageOf(calls.root), name));
      for (const word of [secret, wrong]) expect(bytes.includes(word), `${word} in ${name}`).toBe(false);
    }
  });
});
