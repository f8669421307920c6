import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import {
  create,
  database,
  directory,
  expectRestored,
  failure,
  instance,
  newTarget,
  restore,
  siteCopy,
  verify,
  type CreateOptions,
  type Instance,
  type Using,
} from '../../helpers/instance.js';
import { later } from '../../helpers/later.js';
import { temporaryFolder } from '../../helpers/surroundings.js';
import { bytes } from '../../helpers/tree.js';
import { BkpError } from '../../../src/base/errors.js';
import { silentProgress, type Progress } from '../../../src/base/progress.js';
import { blockSize } from '../../../src/base/limits.js';
import { Passphrase } from '../../../src/base/passphrase.js';
import { removeBackup } from '../../../src/operations/remove-backup.js';
import type { Container } from '../../../src/archive/archive.js';
import type { CreateResult } from '../../../src/operations/create-backup.js';

const text = (count: number, seed = 1): Buffer =>
  Buffer.from(Array.from({ length: count }, (_, line) => `line ${(line * seed) % 7919} of ${seed}\n`).join(''));

const large = 3 * blockSize + 17;

const mixed = (): Promise<Instance> =>
  instance(
    {
      data: {
        'a.txt': text(500),
        'b.bin': bytes(100_000),
        empty: '',
        folder: { 'c.txt': text(900, 3), 'large.bin': bytes(large, 3), 'large.txt': text(200_000, 5) },
        'z.txt': 'last',
      },
    },
    [directory('data')],
  );

const fileIn = ({ root }: Instance, name: string): string => join(root, 'data', name);

async function expectWhole(from: Instance, made: CreateResult): Promise<void> {
  expect((await verify(made.file)).findings).toEqual([]);
  const target = newTarget();
  await restore(made.file, target);
  for (const name of ['a.txt', 'b.bin', 'empty', 'z.txt', 'folder/c.txt', 'folder/large.bin', 'folder/large.txt']) {
    if (!existsSync(fileIn(from, name))) continue;
    expect(readFileSync(join(target, 'data', name)).equals(readFileSync(fileIn(from, name))), name).toBe(true);
  }
}

const flip = (file: string, at: number): void => {
  const byte = readFileSync(file)[at] ?? 0;
  const fd = openSync(file, 'r+');
  writeSync(fd, Buffer.from([byte ^ 0xff]), 0, 1, at);
  closeSync(fd);
};

/** Of encrypted entries of a zip: behind the local record of each (APPNOTE 4.3.7). */
function saltsIn(file: string, names: readonly string[]): readonly string[] {
  const found = readFileSync(file);
  return names.map((name) => {
    const local = found.indexOf(name) - 30;
    const at = local + 30 + found.readUInt16LE(local + 26) + found.readUInt16LE(local + 28);
    return found.subarray(at, at + 16).toString('hex');
  });
}

/** Where content lies in an archive that stores it as it is. */
const positionOf = (file: string, content: Buffer): number => readFileSync(file).indexOf(content.subarray(0, 64));

const rows = (path: string, sql: string): void => {
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  db.exec(sql);
  db.close();
};
/** Four megabytes and a bit, which shrink by half. */
const fill = `CREATE TABLE t (n INTEGER PRIMARY KEY, x TEXT);
  WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 6000)
  INSERT INTO t SELECT n, hex(randomblob(350)) FROM c`;

const withDatabase = async (): Promise<{ from: Instance; path: string }> => {
  const from = await instance({ var: {} }, [database('app.db', { path: 'var/app.db' })]);
  const path = join(from.root, 'var/app.db');
  rows(path, fill);
  return { from, path };
};

/** Counts the bytes that are read from archives of the storage. */
function readFrom({ storage }: Instance): () => number {
  let bytes = 0;
  const open = storage.open.bind(storage);
  storage.open = async (name) => {
    const source = await open(name);
    const read = source.read.bind(source);
    source.read = (at, length, into) => {
      bytes += length;
      return read(at, length, into);
    };
    return source;
  };
  return () => bytes;
}

interface Kind {
  readonly container: Container;
  /** Of the five small files of `mixed`, those that it still takes over where `a.txt` or `b.bin` changed. */
  readonly left: number;
}

const kinds: readonly Kind[] = [
  { container: 'zip', left: 4 },
  // All that come before the large ones lie together.
  { container: 'tar.gz', left: 1 },
];
const small = 5;

const maker =
  (container: Container) =>
  (from: Instance, options: CreateOptions = {}, using: Using = {}): Promise<CreateResult> =>
    create(from, { container, ...options }, using);

/** Opens it with a program that everybody has. */
function expectOpens({ file, container }: CreateResult): void {
  if (container === 'zip') execFileSync('unzip', ['-tq', file]);
  else execFileSync('tar', ['-tzf', file]);
}

/** A folder with what such a program makes of it. */
function extracted({ file, container }: CreateResult): string {
  const folder = temporaryFolder();
  if (container === 'zip') execFileSync('unzip', ['-q', file, '-d', folder]);
  else execFileSync('tar', ['-xzf', file, '-C', folder]);
  return folder;
}

describe.each(kinds)('$container: what did not change since the backup before', ({ container, left }) => {
  const make = maker(container);
  it('is taken over, and the new archive needs no other', async () => {
    const from = await mixed();
    const first = await make(from, {}, later);
    expect(first.takenOver).toEqual({ files: 0, bytes: 0 });
    const second = await make(from, {}, later);
    expect(second.takenOver).toEqual({ files: small + 2, bytes: second.manifest.totals.bytes });
    rmSync(first.file);
    await expectWhole(from, second);
    const folder = extracted(second);
    for (const name of ['a.txt', 'folder/large.bin', 'folder/large.txt', 'z.txt']) {
      expect(readFileSync(join(folder, 'data', name)).equals(readFileSync(fileIn(from, name))), name).toBe(true);
    }
  });

  it('is taken over again and again, over changed levels of nothing else', async () => {
    const from = await mixed();
    let made = await make(from, {}, later);
    for (let round = 0; round < 3; round += 1) {
      appendFileSync(fileIn(from, 'a.txt'), 'more\n');
      made = await make(from, {}, later);
      expect(made.takenOver.files).toBe(left + 2);
    }
    await expectWhole(from, made);
  });

  it('is byte for byte what a backup in full makes of it', async () => {
    const from = await mixed();
    await make(from, {}, later);
    const taken = await make(from, {}, later);
    const full = await make(from, { full: true }, later);
    expect(full.takenOver.files).toBe(0);
    // Of all bytes of all entries and of their central records; the manifests tell of other times, and may differ in length.
    const [a, b] = [taken.manifest.bodyHash, full.manifest.bodyHash];
    expect(a).toMatch(/^sha256:/);
    expect(a).toBe(b);
  });

  it('is compressed anew at another level, and in the other container', async () => {
    const from = await mixed();
    await make(from, {}, later);
    expect((await make(from, { level: 9 }, later)).takenOver.files).toBe(0);
    expect((await make(from, { container: container === 'zip' ? 'tar.gz' : 'zip' }, later)).takenOver.files).toBe(0);
  });

  it('is not looked for where the archive was pruned, or the memory of it lost', async () => {
    const from = await mixed();
    const first = await make(from, {}, later);
    rmSync(first.file);
    const second = await make(from, {}, later);
    expect(second.takenOver.files).toBe(0);
    const { folder } = from.storage;
    for (const name of readdirSync(folder)) if (name.startsWith('.entries-')) rmSync(join(folder, name));
    const third = await make(from, {}, later);
    expect(third.takenOver.files).toBe(0);
    await expectWhole(from, third);
  });

  it('is forgotten with its archive, and with no other', async () => {
    const from = await mixed();
    const { folder } = from.storage;
    const remembered = (): number => readdirSync(folder).filter((name) => name.startsWith('.entries-')).length;
    const [first, second] = [await make(from, {}, later), await make(from, {}, later)];
    for (const [made, left] of [
      [first, 1],
      [second, 0],
    ] as const) {
      await removeBackup(from.storage, { id: made.id, name: basename(made.file) }, undefined);
      expect(remembered()).toBe(left);
    }
  });

  it('is taken over where others came and went around it', async () => {
    const from = await mixed();
    await make(from, {}, later);
    rmSync(fileIn(from, 'b.bin'));
    writeFileSync(fileIn(from, 'aa.txt'), 'new');
    writeFileSync(fileIn(from, 'zz.txt'), 'new');
    const second = await make(from, {}, later);
    expect(second.takenOver.files).toBe(left + 2);
    await expectWhole(from, second);
  });
});

describe.each(kinds)('$container: a backup that takes over', ({ container }) => {
  const make = maker(container);

  it('leaves nothing where it is interrupted, and the next one takes over from the same', async () => {
    const from = await mixed();
    await make(from, {}, later);
    const { folder } = from.storage;
    const there = (): readonly string[] => readdirSync(folder).filter((name) => !name.startsWith('catalog.db'));
    const before = there();
    for (const phase of ['archive', 'read-back'] as const) {
      const controller = new AbortController();
      let now: string | undefined;
      const progress: Progress = {
        ...silentProgress,
        start: (begun) => void (now = begun),
        advance: () => {
          if (now === phase) controller.abort(new BkpError('interrupted', 'interrupted'));
        },
      };
      const run = make(from, {}, { ...later, progress, signal: controller.signal });
      expect((await failure(run)).id).toBe('interrupted');
      expect(there()).toEqual(before);
    }
    const made = await make(from, {}, later);
    expect(made.takenOver.files).toBe(small + 2);
    await expectWhole(from, made);
  });
});

describe.each(kinds)('$container: what changed is never taken from the backup before', ({ container, left }) => {
  const make = maker(container);
  it('changed with the same size, its time set back', async () => {
    const from = await mixed();
    for (const name of ['a.txt', 'folder/large.bin']) {
      await make(from, {}, later);
      const path = fileIn(from, name);
      const { mtimeNs, size } = statSync(path, { bigint: true });
      // utimes of Node.js has no nanoseconds.
      const reference = join(from.root, 'reference');
      execFileSync('touch', ['-r', path, reference]);
      flip(path, Number(size) - 1);
      execFileSync('touch', ['-r', reference, path]);
      expect(statSync(path, { bigint: true }).mtimeNs).toBe(mtimeNs);
      const made = await make(from, {}, later);
      expect(made.takenOver.files).toBe(name === 'a.txt' ? left + 2 : small + 1);
      await expectWhole(from, made);
    }
  });

  it('changed within the tick of the clock in which it was backed up', async () => {
    const from = await mixed();
    // Now, and not later: its times are those of the backup.
    const path = fileIn(from, 'a.txt');
    writeFileSync(path, text(500, 2));
    await make(from);
    writeFileSync(path, text(500, 4));
    const made = await make(from);
    await expectWhole(from, made);
    expect(made.takenOver.files).toBe(0);
    // Not even when the clock went on: what was remembered of it then cannot be trusted.
    expect((await make(from, {}, later)).takenOver.files).toBe(0);
    expect((await make(from, {}, later)).takenOver.files).toBe(small + 2);
  });

  it('replaced by another of the same size and time', async () => {
    const from = await mixed();
    await make(from, {}, later);
    const path = fileIn(from, 'b.bin');
    writeFileSync(`${path}.new`, bytes(100_000, 2));
    execFileSync('touch', ['-r', path, `${path}.new`]);
    renameSync(`${path}.new`, path);
    const made = await make(from, {}, later);
    expect(made.takenOver.files).toBe(left + 2);
    await expectWhole(from, made);
  });

  it('two files that changed their names with each other', async () => {
    const from = await instance({ data: { a: text(50), b: text(50, 2) } }, [directory('data')]);
    for (const name of ['a', 'b']) utimesSync(fileIn(from, name), 1, 1);
    await make(from, {}, later);
    renameSync(fileIn(from, 'a'), fileIn(from, 'c'));
    renameSync(fileIn(from, 'b'), fileIn(from, 'a'));
    renameSync(fileIn(from, 'c'), fileIn(from, 'b'));
    const made = await make(from, {}, later);
    expect(made.takenOver.files).toBe(0);
    const target = newTarget();
    await restore(made.file, target);
    expect(readFileSync(join(target, 'data/a')).equals(text(50, 2))).toBe(true);
  });

  it('a file that was a folder, and a folder that was a file', async () => {
    const from = await instance({ data: { a: text(5), b: { c: text(6) } } }, [directory('data')]);
    await make(from, {}, later);
    rmSync(fileIn(from, 'a'));
    rmSync(fileIn(from, 'b'), { recursive: true });
    execFileSync('mkdir', [fileIn(from, 'a')]);
    writeFileSync(fileIn(from, 'a/c'), text(7));
    writeFileSync(fileIn(from, 'b'), text(8));
    const made = await make(from, {}, later);
    const target = newTarget();
    await restore(made.file, target);
    expect(readFileSync(join(target, 'data/a/c')).equals(text(7))).toBe(true);
    expect(readFileSync(join(target, 'data/b')).equals(text(8))).toBe(true);
  });
});

describe.each(kinds)('$container: where the backup before is damaged', ({ container, left }) => {
  const make = maker(container);
  it('the file is read anew, and the damage told', async () => {
    const from = await mixed();
    for (const name of ['b.bin', 'folder/large.bin']) {
      const before = await make(from, { level: 0 }, later);
      flip(before.file, positionOf(before.file, readFileSync(fileIn(from, name))) + 70);
      expect((await verify(before.file)).findings).not.toEqual([]);
      const made = await make(from, { level: 0 }, later);
      expect(made.takenOver.files).toBe(name === 'b.bin' ? left + 2 : small + 1);
      expect(made.findings.map(({ id }) => id)).toEqual(['earlier-backup-damaged']);
      expect(made.complete).toBe(true);
      await expectWhole(from, made);
    }
  });

  it('one that was cut short, emptied, or replaced by another file gives nothing that is wrong', async () => {
    const from = await mixed();
    const spoil: readonly ((file: string) => void)[] = [
      (file) => execFileSync('truncate', ['-s', '150000', file]),
      (file) => writeFileSync(file, ''),
      (file) => writeFileSync(file, bytes(statSync(file).size, 9)),
    ];
    for (const spoilt of spoil) {
      spoilt((await make(from, {}, later)).file);
      const made = await make(from, {}, later);
      expect(made.complete).toBe(true);
      await expectWhole(from, made);
    }
  });

  it('so it is where what was remembered is damaged', async () => {
    const from = await mixed();
    const { folder } = from.storage;
    await make(from, {}, later);
    const name = readdirSync(folder).find((one) => one.startsWith('.entries-')) ?? '';
    const remembered = readFileSync(join(folder, name));
    for (const at of [3, 1024, 1030, 1100, remembered.length - 1]) {
      const damaged = Buffer.from(remembered);
      damaged[at] = (damaged[at] ?? 0) ^ 0xff;
      writeFileSync(join(folder, name), damaged);
      const made = await make(from, {}, later);
      expect(made.takenOver.files, `byte ${at}`).toBe(0);
      expect(made.findings).toEqual([]);
      await expectWhole(from, made);
    }
    writeFileSync(join(folder, name), remembered.subarray(0, 1500));
    await expectWhole(from, await make(from, {}, later));
  });
});

describe('with a passphrase', () => {
  const encryption = (words = 'a long passphrase'): { passphrase: Passphrase; hint: undefined } => ({
    passphrase: new Passphrase(Buffer.from(words)),
    hint: undefined,
  });
  const opening = (words = 'a long passphrase') => ({
    passphrase: () => Promise.resolve(encryption(words).passphrase),
  });

  it('files are taken over as they are encrypted, if it is the same one', async () => {
    const from = await mixed();
    await create(from, { encryption: encryption() }, later);
    const second = await create(from, { encryption: encryption() }, later);
    expect(second.takenOver.files).toBe(7);
    expect((await verify(second.file, opening())).findings).toEqual([]);
    const other = await create(from, { encryption: encryption('another passphrase') }, later);
    expect(other.takenOver.files).toBe(0);
    expect((await verify(other.file, opening('another passphrase'))).findings).toEqual([]);
    const clear = await create(from, {}, later);
    expect(clear.takenOver.files).toBe(0);
    await expectWhole(from, clear);
  });

  it('neither names nor sums lie beside the archive in clear', async () => {
    const from = await mixed();
    await create(from, { encryption: encryption() }, later);
    const { folder } = from.storage;
    const kept = readdirSync(folder).filter((name) => name.startsWith('.entries-'));
    expect(kept).toHaveLength(1);
    for (const name of kept) expect(readFileSync(join(folder, name)).includes('a.txt')).toBe(false);
    expect(statSync(join(folder, kept[0] ?? '')).mode & 0o777).toBe(0o600);
  });

  it('blocks of databases that stayed are encrypted anew, under a new salt, and not compressed again', async () => {
    const { from, path } = await withDatabase();
    const first = await create(from, { encryption: encryption() }, later);
    rows(path, "UPDATE t SET x = 'changed' WHERE n = 3000");
    const read = readFrom(from);
    const second = await create(from, { encryption: encryption() }, later);
    // All blocks but the few that changed.
    expect(read()).toBeGreaterThan(first.bytes / 4);
    const third = await create(from, { encryption: encryption() }, later);
    const salts = [first, second, third].map(({ file }) => saltsIn(file, ['app.db'])[0]);
    expect(new Set(salts).size).toBe(3);
    for (const made of [first, second, third]) {
      expect((await verify(made.file, opening())).findings).toEqual([]);
      const folder = temporaryFolder();
      execFileSync('7z', ['x', '-pa long passphrase', `-o${folder}`, made.file]);
      execFileSync('sha256sum', ['-c', '--quiet', 'SHA256SUMS'], { cwd: folder });
    }
    rmSync(first.file);
    const target = newTarget();
    await restore(third.file, target, { ...opening() });
    const db = new Database(join(target, 'var/app.db'), { readonly: true });
    expect(db.prepare('SELECT x FROM t WHERE n = 3000').pluck().get()).toBe('changed');
    expect(db.prepare('SELECT count(*) FROM t').pluck().get()).toBe(6000);
    db.close();
  });

  it('blocks of databases are taken from no archive with another passphrase, and from none with --full', async () => {
    const { from } = await withDatabase();
    await create(from, { encryption: encryption() }, later);
    const read = readFrom(from);
    const full = await create(from, { encryption: encryption(), full: true }, later);
    const other = await create(from, { encryption: encryption('another passphrase') }, later);
    const level = await create(from, { encryption: encryption('another passphrase'), level: 4 }, later);
    expect(read()).toBe(0);
    expect((await verify(full.file, opening())).findings).toEqual([]);
    for (const made of [other, level]) {
      expect((await verify(made.file, opening('another passphrase'))).findings).toEqual([]);
    }
  });

  it('a database is encrypted from its own bytes where blocks of the archive before are damaged', async () => {
    const { from } = await withDatabase();
    const before = await create(from, { encryption: encryption() }, later);
    flip(before.file, 5000);
    const made = await create(from, { encryption: encryption() }, later);
    expect(made.findings.map(({ id }) => id)).toEqual(['earlier-backup-damaged']);
    expect((await verify(made.file, opening())).findings).toEqual([]);
  });

  it('a salt never meets content that changed', async () => {
    const from = await instance({ data: { a: bytes(large), b: 'small' } }, [directory('data')]);
    const salts = (file: string): readonly string[] => saltsIn(file, ['data/a', 'data/b']);
    const first = await create(from, { encryption: encryption() }, later);
    flip(fileIn(from, 'a'), 5);
    writeFileSync(fileIn(from, 'b'), 'Small');
    const second = await create(from, { encryption: encryption() }, later);
    expect(second.takenOver.files).toBe(0);
    const third = await create(from, { encryption: encryption() }, later);
    expect(third.takenOver.files).toBe(2);
    expect(salts(third.file)).toEqual(salts(second.file));
    expect(salts(first.file).filter((salt) => salts(second.file).includes(salt))).toEqual([]);
  });
});

describe.each(kinds)('$container: a database', ({ container }) => {
  const make = maker(container);
  it('is copied, checked and read back each time; blocks that stayed are not compressed again', async () => {
    const { from, path } = await withDatabase();
    const first = await make(from, {}, later);
    rows(path, "UPDATE t SET x = 'changed' WHERE n = 3000");
    const second = await make(from, {}, later);
    const full = await make(from, { full: true }, later);
    expect(second.manifest.bodyHash).toBe(full.manifest.bodyHash);
    rows(path, fill.replace('CREATE TABLE t', 'CREATE TABLE u').replaceAll('INTO t', 'INTO u'));
    const third = await make(from, {}, later);
    rows(path, 'DROP TABLE u; VACUUM');
    const fourth = await make(from, {}, later);
    for (const made of [first, second, third, fourth]) {
      expect((await verify(made.file)).findings).toEqual([]);
      expectOpens(made);
    }
    const target = newTarget();
    await restore(third.file, target);
    const db = new Database(join(target, 'var/app.db'), { readonly: true });
    expect(db.prepare('SELECT (SELECT count(*) FROM u) + (SELECT count(*) FROM t)').pluck().get()).toBe(12_000);
    db.close();
  });

  it('has its blocks from the archive before, if that is of the same container and level, and not with --full', async () => {
    const { from } = await withDatabase();
    const first = await make(from, {}, later);
    const read = readFrom(from);
    await make(from, { full: true }, later);
    await make(from, { level: 5 }, later);
    await make(from, { container: container === 'zip' ? 'tar.gz' : 'zip', level: 5 }, later);
    expect(read()).toBe(0);
    const again = await make(from, { level: 5 }, later);
    expect(read()).toBeGreaterThan(first.bytes / 2);
    expectOpens(again);
    expect((await verify(again.file)).findings).toEqual([]);
  });

  it('gives a good archive where blocks of the one before are damaged', async () => {
    const { from } = await withDatabase();
    const before = await make(from, {}, later);
    flip(before.file, 5000);
    const made = await make(from, {}, later);
    expect(made.findings.map(({ id }) => id)).toEqual(['earlier-backup-damaged']);
    expect((await verify(made.file)).findings).toEqual([]);
  });

  it('in a folder is never taken for an unchanged file, whoever has it open', async () => {
    const from = await instance({ data: { 'x.txt': 'x' } }, [directory('data')]);
    const path = fileIn(from, 'app.db');
    rows(path, fill);
    await make(from, {}, later);
    const db = new Database(path);
    db.pragma('journal_mode = WAL');
    db.pragma('wal_autocheckpoint = 0');
    db.prepare("UPDATE t SET x = 'in the log alone' WHERE n = 1").run();
    const made = await make(from, {}, later);
    db.close();
    expect(made.takenOver.files).toBe(1);
    const target = newTarget();
    await restore(made.file, target);
    const restored = new Database(join(target, 'data/app.db'), { readonly: true });
    expect(restored.prepare('SELECT x FROM t WHERE n = 1').pluck().get()).toBe('in the log alone');
    restored.close();
  });
});

describe.each(kinds)('$container: proof', ({ container }) => {
  const make = maker(container);
  it('what a quick check did not decode is decoded when it is taken over by a proven backup', async () => {
    const from = await mixed();
    const quick = await make(from, { quickCheck: true, level: 0 }, later);
    expect(quick.verified).toBe(false);
    const second = await make(from, { level: 0 }, later);
    expect(second.takenOver.files).toBe(small + 2);
    expect(second.verified).toBe(true);
    await expectWhole(from, second);
  });

  it('of a site as it is: the second backup restores to what is there', async () => {
    const from = siteCopy();
    await make(from, {}, later);
    const second = await make(from, {}, later);
    expect(second.takenOver.files).toBeGreaterThan(0);
    const target = newTarget();
    await restore(second.file, target);
    expectRestored(join(target, 'var/uploads'), join(from.root, 'var/uploads'));
  });
});
