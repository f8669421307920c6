import { execFileSync } from 'node:child_process';
import { chmodSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rounds } from '../helpers/rounds.js';
import { isRoot, oddNames } from '../helpers/surroundings.js';
import {
  create,
  deps,
  describeTree,
  expectRestored,
  directory,
  instance,
  newTarget,
  restore,
  siteCopy,
  verify,
} from '../helpers/instance.js';
import { bytes, linkTo } from '../helpers/tree.js';
import { blockSize } from '../../src/base/limits.js';
import { fileBackup } from '../../src/operations/backup-file.js';
import { showBackup } from '../../src/operations/show-backup.js';
import { removeTree } from '../../src/fs/remove-tree.js';

const containers = ['zip', 'tar.gz'] as const;

interface Meta {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970 as `touch` takes them. */
  readonly time: string;
}

type Node =
  | { readonly kind: 'file'; readonly size: number; readonly meta: Meta }
  | { readonly kind: 'link'; readonly target: string; readonly meta: Meta }
  | { readonly kind: 'folder'; readonly children: Readonly<Record<string, Node>>; readonly meta: Meta };

/** Without root, what we could not read or give away would be no loss of the tool's. */
const ownerBits = isRoot ? 0 : 0o700;

const meta: fc.Arbitrary<Meta> = fc.record({
  mode: fc.integer({ min: 0, max: 0o7777 }).map((mode) => mode | ownerBits),
  uid: isRoot ? fc.constantFrom(0, 1000, 262_144, 4_294_967_294) : fc.constant(process.getuid?.() ?? 0),
  gid: isRoot ? fc.constantFrom(0, 1000, 262_144, 4_294_967_294) : fc.constant(process.getgid?.() ?? 0),
  time: fc.oneof(
    fc.constantFrom('-0.000000001', '-1.5', '-2147483648', '0', '2147483647', '2147483648', '4102444800.123456789'),
    fc
      .tuple(fc.integer({ min: -2_000_000_000, max: 9_000_000_000 }), fc.integer({ min: 0, max: 999_999_999 }))
      .map(([seconds, nanoseconds]) => `${seconds}.${String(nanoseconds).padStart(9, '0')}`),
  ),
});

const generatedName = fc
  .string({ unit: 'grapheme-composite', minLength: 1, maxLength: 20 })
  .filter((name) => !/[/\0]/.test(name) && name.isWellFormed() && !/^\.{1,2}$/.test(name));
const name = fc.oneof(fc.constantFrom(...oddNames), generatedName);

/** Large files are few: each costs as much as hundreds of small ones. */
const size = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(0, 1, 2, 511, 512, 513) },
  { weight: 1, arbitrary: fc.constantFrom(blockSize - 1, blockSize, blockSize + 1) },
);

const target = fc.constantFrom('x', './y', 'not/there', 'emoji 🦊', 'new\nline', 'e\u0301', `${'z'.repeat(200)}/a\\b`);

const { tree } = fc.letrec<{ tree: Node; node: Node }>((tie) => ({
  tree: fc.record({
    kind: fc.constant('folder' as const),
    children: fc.dictionary(name, tie('node'), { maxKeys: 6, noNullPrototype: false }),
    meta,
  }),
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ kind: fc.constant('file' as const), size, meta }),
    fc.record({ kind: fc.constant('link' as const), target, meta }),
    tie('tree'),
  ),
}));

/** A folder gets its own mode and time when its content is there. */
function put(path: string, node: Node, times: [string, string][]): void {
  switch (node.kind) {
    case 'file':
      writeFileSync(path, bytes(node.size, node.size + 1));
      break;
    case 'link':
      symlinkSync(node.target, path);
      break;
    case 'folder':
      mkdirSync(path, { recursive: true });
      for (const [child, inner] of Object.entries(node.children)) put(join(path, child), inner, times);
  }
  lchownSync(path, node.meta.uid, node.meta.gid);
  if (node.kind !== 'link') chmodSync(path, node.meta.mode);
  times.push([node.meta.time, path]);
}

/** Children before their folders, so that a folder's own time stays. Node.js itself cannot set nanoseconds. */
function setTimes(times: readonly [string, string][]): void {
  const script = 'while [ $# -gt 0 ]; do touch -h -d "@$1" -- "$2" || exit 1; shift 2; done';
  for (let at = 0; at < times.length; at += 200) {
    execFileSync('sh', ['-c', script, 'sh', ...times.slice(at, at + 200).flat()]);
  }
}

describe.each(containers)('a random tree in a %s', (container) => {
  it('comes back as it was, and verifies on the way', { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(tree, async (root) => {
        const from = await instance({}, [directory('data')]);
        const times: [string, string][] = [];
        put(join(from.root, 'data'), root, times);
        setTimes(times);
        const before = describeTree(join(from.root, 'data'));
        const target = newTarget();
        try {
          const made = await create(from, { container });
          expect(made.findings).toEqual([]);
          expect(made.complete).toBe(true);
          expect(await verify(made.file)).toMatchObject({ verdict: 'intact', findings: [] });
          const { findings } = await restore(made.file, target);
          expect(findings).toEqual([]);
          expectRestored(join(target, 'data'), join(from.root, 'data'));
          expect(describeTree(join(from.root, 'data'))).toEqual(before);
        } finally {
          // Before the next run: a hundred trees would fill a small disk.
          await removeTree(from.root);
          await removeTree(from.storage.folder);
          await removeTree(target);
        }
      }),
      // Looking for a smaller counterexample would take many minutes; the seed brings this one back.
      { numRuns: rounds(8, 25), endOnFailure: true },
    );
  });

  it('holds every odd name at once, and nothing but an empty folder', async () => {
    const odd = Object.fromEntries(oddNames.map((odd, index) => [odd, bytes(index)]));
    const from = await instance({ odd: { ...odd, folders: { ...odd, empty: {} } }, empty: {} }, [
      directory('odd'),
      directory('empty'),
    ]);
    const made = await create(from, { container });
    expect(made.manifest.totals).toMatchObject({ files: 2 * oddNames.length, directories: 4 });
    const target = newTarget();
    await restore(made.file, target);
    expectRestored(join(target, 'odd'), join(from.root, 'odd'));
    const empty = await create(from, { container, sources: from.sources.slice(1) });
    expect(await verify(empty.file)).toMatchObject({ verdict: 'intact', files: 0 });
    const second = newTarget();
    await restore(empty.file, second);
    expectRestored(join(second, 'empty'), join(from.root, 'empty'));
  });

  it('keeps a file of several blocks, compressible or not', async () => {
    const text = Buffer.alloc(3 * blockSize + 7, 'to be or not to be, ');
    const from = await instance({ data: { text, noise: bytes(2 * blockSize), more: 'end' } }, [directory('data')]);
    for (const level of [0, 1, 9]) {
      const made = await create(from, { container, level });
      const target = newTarget();
      await restore(made.file, target);
      expect(describeTree(target)['./data/text']?.content).toBe(text.toString('hex'));
      expectRestored(join(target, 'data'), join(from.root, 'data'));
    }
  });

  it('brings the fixture site back as an instance, its databases as SQLite copies', async () => {
    const site = siteCopy();
    const made = await create(site, { container }, { pool: 'own' });
    expect(made).toMatchObject({ complete: true, verified: true, findings: [] });
    expect(await verify(made.file)).toMatchObject({ verdict: 'intact', databases: 2 });
    const target = newTarget();
    expect(await restore(made.file, target)).toMatchObject({ databases: 2, findings: [] });
    for (const name of ['snapshots', 'uploads'])
      expectRestored(join(target, 'var', name), join(site.root, 'var', name));
    const [before, after] = [describeTree(site.root), describeTree(target)];
    expect(Object.keys(after)).toEqual(Object.keys(before));
    for (const name of ['./.env', './.env.local']) expect(after[name]?.content).toBe(before[name]?.content);
    for (const name of ['./var/system.brain', './var/user.brain']) {
      expect(after[name]?.mode).toBe(before[name]?.mode);
      expect(after[name]?.content?.length).toBe(before[name]?.content?.length);
    }
  });

  it('records times to the nanosecond', async () => {
    const from = await instance({ data: { old: '', late: '', link: linkTo('old') } }, [directory('data')]);
    const at = (path: string): string => join(from.root, 'data', path);
    setTimes([
      ['-1000000000.999999999', at('old')],
      ['5000000000.000000001', at('late')],
      ['-0.000000001', at('link')],
      ['0.123456789', at('')],
    ]);
    const made = await create(from, { container });
    const { entries } = await showBackup({ file: fileBackup(made.file), withEntries: true }, deps());
    const times = Object.fromEntries((entries ?? []).map(({ path, mtime }) => [path, mtime]));
    const found = describeTree(at(''));
    for (const name of ['/old', '/late', '/link', '']) expect(times[`data${name}`]).toBe(found[`.${name}`]?.mtime);
  });
});

it('brings a folder that is the root itself back with its mode, in a target that did not exist', async () => {
  const from = await instance({ 'a:b': 'x', sub: { f: '' } }, [directory('all', { path: '.' })]);
  chmodSync(from.root, 0o710);
  const made = await create(from);
  expect(made.manifest.sources).toMatchObject([{ path: '.' }]);
  const target = newTarget();
  await restore(made.file, target);
  expectRestored(target, from.root);
});
