import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { acquireLock } from '../../src/fs/lock.js';
import { systemClock } from '../../src/base/clock.js';
import { hasTool } from '../helpers/cli.js';
import { openTerminal } from '../helpers/terminal.js';
import { archivesIn, binary, bkp, folder, lastLine, namesIn, site, siteWithBackup, storageOf } from './cli.js';

/** An instance with copies of one small backup under ids of January 2020, on days from the first. */
async function siteWithBackups(days: number) {
  const { root, file } = await siteWithBackup('--only', 'system.brain');
  const ids = Array.from({ length: days }, (_, n) => `2020010${n + 1}T000000Z-manual`);
  for (const id of ids) {
    copyFileSync(file, join(storageOf(root), `${id}.zip`));
    copyFileSync(`${file}.sha256`, join(storageOf(root), `${id}.zip.sha256`));
  }
  return { root, ids, names: ids.map((id) => `${id}.zip`), run: (...args: string[]) => bkp(args, { cwd: root }) };
}

describe('bkp lock and unlock', () => {
  it('write and remove the file that locks, and say what changed', async () => {
    const { root, id, file } = await siteWithBackup('--only', 'system.brain');
    const run = (...args: string[]) => bkp([...args, '--json'], { cwd: root });
    expect(lastLine(await run('lock', 'latest'))).toMatchObject({
      backups: [{ id, file, changed: true }],
      exitCode: 0,
    });
    expect(readFileSync(`${file}.locked`)).toHaveLength(0);
    expect(lastLine(await run('lock', id))).toMatchObject({ backups: [{ id, changed: false }] });
    expect((await bkp(['list', '--locked'], { cwd: root })).stdout).toContain(id);
    expect(lastLine(await run('unlock', file))).toMatchObject({ backups: [{ id, changed: true }] });
    expect(existsSync(`${file}.locked`)).toBe(false);
    expect((await bkp(['unlock', id], { cwd: root })).stdout).toBe(`${id} was not locked\n`);
  });

  it('lock all that are named or, where one is not there, none', async () => {
    const { root, names, ids, run } = await siteWithBackups(2);
    expect(await run('lock', ids[0]!, '2021', ids[1]!)).toMatchObject({ code: 10 });
    expect(namesIn(storageOf(root)).filter((name) => name.endsWith('.locked'))).toEqual([]);
    expect(await run('lock', ...names)).toMatchObject({ code: 0 });
    expect(namesIn(storageOf(root)).filter((name) => name.endsWith('.locked'))).toHaveLength(2);
  });

  it('refuse a file elsewhere and a backup of another instance', async () => {
    const { root, file } = await siteWithBackup('--only', 'system.brain');
    const elsewhere = join(folder(), 'copy.zip');
    copyFileSync(file, elsewhere);
    const outside = await bkp(['lock', elsewhere, '--json'], { cwd: root });
    expect(lastLine(outside)).toMatchObject({ type: 'error', id: 'not-in-storage', exitCode: 2 });
    const other = site('other');
    mkdirSync(storageOf(other), { recursive: true });
    copyFileSync(file, join(storageOf(other), '20200101T000000Z-manual.zip'));
    for (const args of [['lock'], ['delete', '--confirm', '20200101T000000Z-manual']]) {
      const ran = await bkp([...args, '20200101T000000Z-manual.zip', '--json'], { cwd: other });
      expect(lastLine(ran)).toMatchObject({ type: 'error', id: 'foreign-backup', exitCode: 15 });
    }
    expect(archivesIn(other)).toHaveLength(1);
  });

  it('make no storage where there is none', async () => {
    const root = site();
    expect(await bkp(['lock', 'latest'], { cwd: root })).toMatchObject({ code: 10 });
    expect(existsSync(storageOf(root))).toBe(false);
  });
});

describe('bkp delete', () => {
  it('deletes nothing where other ids are confirmed than those of what is named', async () => {
    const { root, ids, names, run } = await siteWithBackups(3);
    const before = namesIn(storageOf(root));
    // The copies' manifests have another id than their names, and that one counts.
    const ran = await run('delete', names[0]!, names[2]!, '--confirm', `${ids[2]!},${ids[0]!}`, '--json');
    expect(lastLine(ran)).toMatchObject({ type: 'error', id: 'confirmation-missing', exitCode: 15 });
    expect(namesIn(storageOf(root))).toEqual(before);
  });

  it('asks for nothing but the ids, and names them', async () => {
    const { root, id, file } = await siteWithBackup('--only', 'system.brain');
    const unconfirmed = await bkp(['delete', 'latest'], { cwd: root });
    expect(unconfirmed).toMatchObject({ code: 15, stdout: '' });
    expect(unconfirmed.stderr).toContain(`--confirm ${id}`);
    expect(await bkp(['delete', 'latest', '--confirm', 'latest'], { cwd: root })).toMatchObject({ code: 15 });
    expect(existsSync(file)).toBe(true);
    const ran = await bkp(['delete', 'latest', '--confirm', id, '--json'], { cwd: root });
    expect(lastLine(ran)).toMatchObject({ command: 'delete', exitCode: 0, backups: [{ id, file }] });
    expect(namesIn(storageOf(root))).toEqual(['.bkp.lock']);
  });

  it('deletes what is damaged, by its name', async () => {
    const { root, run } = await siteWithBackups(1);
    const name = '20200109T000000Z-manual.zip';
    writeFileSync(join(storageOf(root), name), 'no archive');
    expect(await run('delete', name, '--confirm', '20200109T000000Z-manual')).toMatchObject({ code: 0 });
    expect(namesIn(storageOf(root))).not.toContain(name);
  });

  it('refuses all where one is locked, and where another run holds the lock', async () => {
    const { root, id, file } = await siteWithBackup('--only', 'system.brain');
    const run = (...args: string[]) => bkp([...args, '--json'], { cwd: root });
    const again = lastLine(await run('create', '--only', 'system.brain'));
    const both = ['delete', id, String(again['id']), '--confirm', `${id},${String(again['id'])}`];
    await run('lock', id);
    expect(lastLine(await run(...both))).toMatchObject({ type: 'error', id: 'backup-locked', exitCode: 15 });
    await run('unlock', id);
    const lock = await acquireLock(join(storageOf(root), '.bkp.lock'), { holder: 'test', wait: 0, clock: systemClock });
    expect(lastLine(await run(...both))).toMatchObject({ type: 'error', id: 'lock-held', exitCode: 11 });
    lock.release();
    expect(existsSync(file)).toBe(true);
    expect(archivesIn(root)).toHaveLength(2);
  });

  it.skipIf(!hasTool('tmux'))('asks on a terminal for the id of one and a word for several', async () => {
    const { root, id } = await siteWithBackup('--only', 'system.brain');
    const call = `${process.execPath} ${binary} -C ${root}`;
    const wrong = openTerminal(`${call} delete latest`);
    await wrong.until(/Type \S+ to delete what is shown:/);
    for (const word of ['yes', 'y']) {
      wrong.press(word, 'Enter');
      await wrong.until(new RegExp(`^${word} is not \\S+\\.\\nType \\S+ to delete what is shown: *$`, 'm'));
    }
    wrong.press('yes', 'Enter');
    expect(await wrong.until(/exit \d+/)).toMatch(/yes is not \S+; nothing was deleted[^]*exit 15/);
    const again = lastLine(await bkp(['create', '--only', 'system.brain', '--json'], { cwd: root }));
    const right = openTerminal(`${call} delete ${id} ${String(again['id'])}`);
    expect(await right.until(/Type delete 2 to delete what is shown:/)).toContain('for good (2 backups');
    right.press('delete 2', 'Enter');
    expect(await right.until(/exit \d+/)).toMatch(/Deleted 2 backups[^]*exit 0/);
    expect(archivesIn(root)).toEqual([]);
  });
});
