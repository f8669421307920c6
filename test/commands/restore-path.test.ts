import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeTree } from '../helpers/instance.js';
import { bkp, siteWithBackup, storageOf } from './cli.js';

const minutes = 'Protokolle/2024/Sitzung 1 (Entwurf).txt';

async function siteWithUploads(): Promise<{ root: string; uploads: string; id: string; storage: string }> {
  const { root, id } = await siteWithBackup();
  return { root, uploads: join(root, 'var/uploads'), id, storage: storageOf(root) };
}

const safetyBackupsIn = (storage: string): readonly string[] =>
  readdirSync(storage).filter((name) => /-safety\.(?:zip|tar\.gz)$/.test(name));

/** The live data without the storage, and without the time of the root: the lock lay in there. */
const liveState = (root: string): unknown =>
  Object.entries(describeTree(root)).filter(([path]) => path !== '.' && !path.startsWith('./var/backups'));

describe('bkp restore --path', () => {
  it('merges the files that match, and leaves changed, new and removed others as they are', async () => {
    const { root, uploads, id, storage } = await siteWithUploads();
    const original = readFileSync(join(uploads, minutes));
    writeFileSync(join(uploads, minutes), 'changed');
    writeFileSync(join(uploads, 'leer.txt'), 'changed');
    writeFileSync(join(uploads, 'Protokolle/2024/new.txt'), 'new');
    writeFileSync(join(uploads, 'new.txt'), 'new');
    rmSync(join(uploads, 'Übersicht.png'));
    const wanted = describeTree(root);

    const ran = await bkp(['restore', id, '--path', 'uploads/Protokolle', '--confirm', id], { cwd: root });
    expect(ran).toMatchObject({ code: 0 });

    const found = describeTree(root);
    const at = `./var/uploads/${minutes}`;
    expect(found[at]?.content).toBe(original.toString('hex'));
    const others = (tree: typeof found): unknown =>
      Object.entries(tree)
        .filter(([path, { type }]) => path !== at && type !== 'directory' && !path.startsWith('./var/backups'))
        .map(([path, { type, content }]) => [path, type, content]);
    expect(others(found)).toEqual(others(wanted));

    const [safety, ...more] = safetyBackupsIn(storage);
    expect(more).toEqual([]);
    const target = join(dirname(root), 'before');
    const args = ['restore', join(storage, safety ?? ''), '--target', target];
    expect(await bkp(args, { cwd: root })).toMatchObject({ code: 0 });
    expect(readFileSync(join(target, 'var/uploads', minutes), 'utf8')).toBe('changed');
  });

  it('makes the folders that are missing', async () => {
    const { root, uploads, id } = await siteWithUploads();
    const original = readFileSync(join(uploads, minutes));
    rmSync(join(uploads, 'Protokolle'), { recursive: true });
    writeFileSync(join(uploads, 'new.txt'), 'new');
    const ran = await bkp(['restore', id, '--path', 'uploads/**/*Entwurf*', '--confirm', id], { cwd: root });
    expect(ran).toMatchObject({ code: 0 });
    expect(readFileSync(join(uploads, minutes))).toEqual(original);
    expect(readFileSync(join(uploads, 'new.txt'), 'utf8')).toBe('new');
  });

  it.each(['uploads/Protokoll', 'uploads/**/*.nothing', 'nothing/**'])(
    'ends with 10 where %s matches nothing, and changes nothing',
    async (glob) => {
      const { root, id, storage } = await siteWithUploads();
      mkdirSync(join(root, 'var/uploads/empty'));
      const before = liveState(root);
      const ran = await bkp(['restore', id, '--path', glob, '--confirm', id], { cwd: root });
      expect([ran.code, ran.stdout]).toEqual([10, '']);
      expect(liveState(root)).toEqual(before);
      expect(safetyBackupsIn(storage)).toEqual([]);
      expect(existsSync(join(root, '.bkp-restore'))).toBe(false);
    },
  );
});
