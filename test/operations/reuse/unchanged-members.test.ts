import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { create, directory, expectRestored, instance, newTarget, restore, verify } from '../../helpers/instance.js';
import { later } from '../../helpers/later.js';
import { rounds } from '../../helpers/rounds.js';
import { bytes, linkTo } from '../../helpers/tree.js';
import { memberSize, trailerBytes } from '../../../src/archive/tar/trailer.js';
import type { CreateResult } from '../../../src/operations/create-backup.js';
import type { CreateOptions, Instance } from '../../helpers/instance.js';

const make = (from: Instance, options: CreateOptions = {}): Promise<CreateResult> =>
  create(from, { container: 'tar.gz', level: 1, ...options }, later);

const dataOf = ({ root }: Instance, name = ''): string => join(root, 'data', name);

async function expectSame(from: Instance, made: CreateResult): Promise<void> {
  expect((await verify(made.file)).findings).toEqual([]);
  const target = newTarget();
  await restore(made.file, target);
  expectRestored(join(target, 'data'), dataOf(from));
}

function membersIn({ file }: CreateResult): number {
  const archive = readFileSync(file);
  let count = 0;
  for (let at = 0; at < archive.length - trailerBytes; count += 1) at += memberSize(archive.subarray(at, at + 20)) ?? 0;
  return count;
}

/** The same numbers for the same seed: 0 or more, less than `below`. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Sixty files, of which some twenty fill a member. */
const many = (): Promise<Instance> => {
  const names = Array.from({ length: 60 }, (_, index) => `f${String(index).padStart(2, '0')}`);
  const tree = Object.fromEntries(names.map((name, index) => [name, bytes(50_000 + 13 * index, index + 1)]));
  return instance({ data: { ...tree, 'f30-folder': { link: linkTo('../f01') } } }, [directory('data')]);
};

describe('small files of a tar.gz that lie together', () => {
  it('are taken over where all of them, their folders and links are what they were', async () => {
    const from = await many();
    const all = (await make(from)).manifest.totals.files;
    expect((await make(from)).takenOver.files).toBe(all);
    const changes: readonly [string, () => void][] = [
      ['one is longer', () => appendFileSync(dataOf(from, 'f30'), 'x')],
      ['one may be run', () => chmodSync(dataOf(from, 'f30'), 0o755)],
      ['one has another time', () => utimesSync(dataOf(from, 'f30'), 5, 5)],
      ['a folder may be entered by others', () => chmodSync(dataOf(from, 'f30-folder'), 0o700)],
      ['the uppermost folder has another time', () => utimesSync(dataOf(from), 7, 7)],
      [
        'a link leads elsewhere',
        () => {
          rmSync(dataOf(from, 'f30-folder/link'));
          symlinkSync('../f02', dataOf(from, 'f30-folder/link'));
          utimesSync(dataOf(from, 'f30-folder'), 7, 7);
        },
      ],
    ];
    for (const [what, change] of changes) {
      change();
      const made = await make(from);
      // Those that lie in other members, and they alone.
      expect(made.takenOver.files, what).toBeGreaterThan(all / 4);
      expect(made.takenOver.files, what).toBeLessThan(all);
      await expectSame(from, made);
      expect((await make(from)).takenOver.files, what).toBe(all);
    }
  });

  it('stay what they are, whatever is done to them between backups', async () => {
    const from = await many();
    await make(from);
    const next = chance(7);
    const some = (): string => {
      const names = readdirSync(dataOf(from)).filter((name) => !name.endsWith('folder'));
      return dataOf(from, names[next(names.length)]);
    };
    const edits: readonly (() => void)[] = [
      () => writeFileSync(dataOf(from, `f${next(60)}-${next(99)}`), bytes(next(200_000), next(1000))),
      () => writeFileSync(dataOf(from, `f${next(60)}-${next(99)}`), bytes(1_000_000 + next(60_000), next(1000))),
      () => rmSync(some()),
      () => appendFileSync(some(), 'more'),
      () => renameSync(some(), dataOf(from, `f${next(60)}-renamed`)),
      () => {
        // The same bytes in number, and the time of before.
        const path = some();
        const { size, atime, mtime } = statSync(path);
        writeFileSync(path, bytes(size, next(1000)));
        utimesSync(path, atime, mtime);
      },
      () => mkdirSync(dataOf(from, `f${next(60)}-folder`), { recursive: true }),
      () => chmodSync(some(), next(2) === 0 ? 0o600 : 0o640),
    ];
    let taken = 0;
    for (let round = 0; round < rounds(12, 100); round += 1) {
      for (let count = next(3); count >= 0; count -= 1) edits[next(edits.length)]?.();
      const made = await make(from);
      taken += made.takenOver.files;
      await expectSame(from, made);
    }
    expect(taken).toBeGreaterThan(0);
  }, 300_000);

  it('do not come to lie in ever smaller members', async () => {
    const from = await many();
    let made = await make(from);
    // Each takes the place of one that lay at the end of a full member.
    for (let round = 22; round > 10; round -= 1) {
      writeFileSync(dataOf(from, `f00-${round}`), bytes(60_000, round));
      made = await make(from, { quickCheck: true });
      expect(made.takenOver.files).toBeGreaterThan(10);
    }
    const full = await make(from, { full: true });

    expect(membersIn(made)).toBeLessThan(1.5 * membersIn(full));
    await expectSame(from, made);
  });

  it('are packed anew where a database is among them, open or not', async () => {
    const from = await instance({ data: { 'a.txt': 'a', 'z.txt': 'z' } }, [directory('data')]);
    const path = dataOf(from, 'm.db');
    const db = new Database(path);
    db.pragma('journal_mode = WAL');
    db.exec("CREATE TABLE t (x); INSERT INTO t VALUES ('first')");
    db.close();
    await make(from);
    const again = await make(from);
    expect(again.takenOver.files).toBe(0);
    const open = new Database(path);
    open.pragma('wal_autocheckpoint = 0');
    open.prepare("UPDATE t SET x = 'in the log alone'").run();
    const made = await make(from);
    open.close();
    const target = newTarget();
    await restore(made.file, target);
    const restored = new Database(join(target, 'data/m.db'), { readonly: true });
    expect(restored.prepare('SELECT x FROM t').pluck().get()).toBe('in the log alone');
    restored.close();
  });

  it('are read anew where the member is damaged in the archive before', async () => {
    const from = await many();
    const before = await make(from);
    const archive = readFileSync(before.file);
    archive[5000] = (archive[5000] ?? 0) ^ 1;
    writeFileSync(before.file, archive);
    const made = await make(from);
    expect(made.findings.map(({ id }) => id)).toEqual(['earlier-backup-damaged']);
    expect(made.takenOver.files).toBeGreaterThan(20);
    expect(made.takenOver.files).toBeLessThan(60);
    await expectSame(from, made);
  });
});
