import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createJournal } from '../../src/fs/journal.js';
import { planSwap } from '../../src/fs/swap-plan.js';
import { bkp, folder, jsonLines, lastLine, namesIn, siteWithBackup, storageOf } from './cli.js';

/** A site whose restore was killed after its journal was written, before the first move. */
async function interruptedSite() {
  const made = await siteWithBackup();
  const room = join(made.root, '.bkp-restore');
  mkdirSync(join(room, 'stage'), { recursive: true, mode: 0o700 });
  const live = join(made.root, 'var', 'uploads', 'a.txt');
  const staged = join(room, 'stage', '0');
  writeFileSync(live, 'before');
  writeFileSync(staged, 'restored');
  await createJournal(room, await planSwap(room, [{ kind: 'file', live, staged, room }]));
  return { ...made, live };
}

describe('while a restore in place is unfinished', () => {
  it('what writes refuses with 15, and writes nothing', async () => {
    const { root, id } = await interruptedSite();
    const before = namesIn(storageOf(root));
    for (const args of [
      ['create'],
      ['create', '--dry-run'],
      ['create', '-o', join(folder(), 'x.zip')],
      ['restore', id, '--confirm', id],
      ['restore', id, '--dry-run'],
      ['delete', id, '--confirm', id],
    ]) {
      const { code, stdout, stderr } = await bkp(args, { cwd: root });
      expect({ args, code, stdout }).toEqual({ args, code: 15, stdout: '' });
      expect(stderr).toMatch(/^error: .*interrupted.*\nhint: .*bkp restore --recover/);
    }
    expect(namesIn(storageOf(root))).toEqual(before);
  });

  it('list, show and verify warn in one line, and answer', async () => {
    const { root, id } = await interruptedSite();
    for (const args of [['list'], ['show', id], ['verify', id], ['verify', '--all']]) {
      const { code, stderr } = await bkp(args, { cwd: root });
      expect({ args, code }).toEqual({ args, code: 0 });
      expect(stderr).toMatch(/^note: a restore of .* is not finished: .*bkp restore --recover.*\n$/);
      const ran = await bkp([...args, '--json'], { cwd: root });
      expect(ran).toMatchObject({ code: 0, stderr: '' });
      expect(jsonLines(ran).filter(({ type }) => type === 'finding')).toMatchObject([
        { id: 'restore-unfinished', kind: 'note', file: null },
      ]);
    }
  });

  it('a restore into another folder goes', async () => {
    const { root, id } = await interruptedSite();
    const target = join(folder(), 'target');
    expect(await bkp(['restore', id, '--target', target], { cwd: root })).toMatchObject({ code: 0 });
  });

  it('restore --recover ends it, and has nothing to do after that', async () => {
    const { root, live } = await interruptedSite();
    const ran = await bkp(['restore', '--recover'], { cwd: root });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toBe(`The interrupted restore of ${root} is undone: everything is as it was before it.\n`);
    expect(readFileSync(live, 'utf8')).toBe('before');
    expect(namesIn(root)).toEqual(['.env', '.env.local', 'var']);
    const again = await bkp(['restore', '--recover', '--json'], { cwd: root });
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(lastLine(again)).toMatchObject({ type: 'summary', outcome: 'nothing', inPlace: true, kept: [] });
    expect(await bkp(['create', '-q'], { cwd: root })).toMatchObject({ code: 0 });
  });
});
