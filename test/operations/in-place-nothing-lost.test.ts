import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rounds } from '../helpers/rounds.js';
import type { EntryPath } from '../../src/base/entry-path.js';
import { BkpError, systemCode } from '../../src/base/errors.js';
import { displayName } from '../../src/fs/display-name.js';
import { excludeMatcher } from '../../src/fs/globs.js';
import type { InPlaceResult } from '../../src/operations/restore-in-place.js';
import { restoreOver } from '../helpers/in-place.js';
import { rewrite, rowOf } from '../helpers/in-place-database.js';
import {
  create,
  database,
  describeTree,
  directory,
  instance,
  newTarget,
  restore,
  type Described,
} from '../helpers/instance.js';
import { asOurselves, isRoot, oddNames, unprivilegedAsync } from '../helpers/surroundings.js';
import { expectTree, linkTo, type Tree } from '../helpers/tree.js';

const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'c', 'cache', 'x.tmp', 'y.tmp') },
  { weight: 1, arbitrary: fc.constantFrom(...oddNames) },
);
const target = fc.constantFrom('a', './b', 'not/there', '../app.db');
const { tree } = fc.letrec<{ tree: Tree; node: Tree[string] }>((tie) => ({
  tree: fc.dictionary(name, tie('node'), { maxKeys: 5, noNullPrototype: false }),
  node: fc.oneof(
    { depthSize: 'small' },
    { weight: 4, arbitrary: fc.string({ maxLength: 12 }) },
    { weight: 1, arbitrary: target.map(linkTo) },
    { weight: 2, arbitrary: tie('tree') },
  ),
}));

const kinds = ['append', 'replace', 'remove', 'add', 'folder', 'link', 'tmp'] as const;
/** What somebody does to the n-th thing there is, or beside it. */
const change = fc.record({ n: fc.nat(60), how: fc.constantFrom(...kinds), name });
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

const scene = fc.record({
  tree,
  excludes: fc.subarray(['uploads/cache', 'uploads/b/**', '**/*.tmp']),
  own: fc.subarray(['c', 'a/cache/**']),
  changes: fc.array(change, { maxLength: 8 }),
  special: fc.oneof(
    { weight: 3, arbitrary: fc.constant('none' as const) },
    { weight: 1, arbitrary: fc.constantFrom('fifo' as const, 'socket' as const) },
  ),
  // What may not be read by who restores; without root our own look could not either.
  unreadable: fc.array(fc.nat(60), { maxLength: isRoot ? 2 : 0 }),
  compare: fc.boolean(),
  withDatabase: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  late: fc.record({
    // Before the safety backup reads the files, and right after it is there.
    at: fc.constantFrom('databases-copied', 'named', 'named'),
    n: fc.nat(60),
    how: fc.constantFrom('append' as const, 'replace' as const, 'add' as const),
    name,
  }),
});

type Found = Readonly<Record<string, Described>>;

const filesOf = (found: Found): readonly [string, Described][] =>
  Object.entries(found).filter(([, { type }]) => type === 'file');

/** Every content is written once only: what is found later is that very file. */
let written = 0;
const fresh = (): string => `content ${++written}`;

function apply(uploads: string, { n, how, name }: Change): void {
  const found = asOurselves(() => describeTree(uploads));
  const changesFile = how === 'append' || how === 'replace';
  const all = changesFile ? filesOf(found).map(([path]) => path) : Object.keys(found);
  const picked = all[n % Math.max(all.length, 1)];
  if (picked === undefined) return;
  const path = join(uploads, picked);
  if (how === 'append') return appendFileSync(path, fresh());
  if (how === 'replace') {
    writeFileSync(join(uploads, '..', 'new'), fresh());
    return renameSync(join(uploads, '..', 'new'), path);
  }
  if (how === 'remove' && picked !== '.') return rmSync(path, { recursive: true });
  const place = join(found[picked]?.type === 'directory' ? path : join(path, '..'), name);
  if (how === 'add') {
    if (lstatSync(place, { throwIfNoEntry: false }) === undefined) writeFileSync(place, fresh());
    return;
  }
  rmSync(place, { recursive: true, force: true });
  if (how === 'folder') mkdirSync(join(place, 'inner'), { recursive: true });
  if (how === 'link') symlinkSync('elsewhere', place);
  if (how === 'tmp') writeFileSync(`${join(place, '..')}/late.tmp`, fresh());
}

/** What is closed to him, the user who restores cannot change either. */
function applyIfAllowed(uploads: string, change: Change): void {
  try {
    apply(uploads, change);
  } catch (error) {
    if (systemCode(error) !== 'EACCES') throw error;
  }
}

/** Takes all rights off the n-th thing that is there. Gives its path. */
function close(uploads: string, n: number): string | undefined {
  const found = asOurselves(() => describeTree(uploads));
  const paths = Object.keys(found).filter((path) => path !== '.' && found[path]?.type !== 'link');
  const path = paths[n % Math.max(paths.length, 1)];
  if (path !== undefined) asOurselves(() => chmodSync(join(uploads, path), 0));
  return path;
}

/** Something that no backup holds. */
async function makeSpecial(uploads: string, kind: 'none' | 'fifo' | 'socket'): Promise<Server | undefined> {
  if (kind === 'none') return undefined;
  const path = join(uploads, 'special');
  if (kind === 'fifo') {
    execFileSync('mkfifo', [path]);
    return undefined;
  }
  const server = createServer().listen(path);
  await once(server, 'listening');
  return server;
}

const below = (path: string): string => path.slice('./'.length);

/** The lock, and the list of what was kept. */
const isOwn = /^\.\/(?:\.lock|kept-\d+\.json)$/;

/** What lies below the private folder now; fails where the result does not name a file or link of it. */
function keptIn(root: string, { kept }: InPlaceResult): readonly [string, Described][] {
  const folder = join(root, '.bkp-restore');
  if (!existsSync(folder)) return [];
  const left = Object.entries(describeTree(folder)).filter(
    ([path, { type }]) => type !== 'directory' && !isOwn.test(path),
  );
  const named = new Set(kept.map(({ path }) => path));
  expect(left.map(([path]) => displayName(join(folder, path))).filter((path) => !named.has(path))).toEqual([]);
  return left;
}

/** Whether the backup has a folder wherever the path needs one, and nothing at the path itself. */
function isFreeIn(backup: Found, path: string): boolean {
  const parts = path.split('/');
  const above = parts.slice(1, -1).map((_, number) => parts.slice(0, number + 2).join('/'));
  return !(path in backup) && above.every((one) => (backup[one]?.type ?? 'directory') === 'directory');
}

const shape = ({ type, content, mode, mtime }: Described): unknown =>
  type === 'file' ? { type, content, mode, mtime } : { type, content };

it.each([
  ['as we are', <T>(action: () => Promise<T>): Promise<T> => action()],
  ['without the rights of root', unprivilegedAsync],
])('loses no file, whatever was there before and changes meanwhile, %s', { timeout: 120_000 }, async (_, as) => {
  await fc.assert(
    fc.asyncProperty(
      scene,
      async ({ tree, excludes, own, changes, special, unreadable, compare, withDatabase, late }) => {
        let before: Found = {};
        const closed: string[] = [];
        const { made, file, result } = await as(async () => {
          const sources = [directory('uploads', { exclude: own }), ...(withDatabase ? [database('app.db')] : [])];
          const made = await instance({ uploads: tree }, sources);
          const uploads = join(made.root, 'uploads');
          if (withDatabase) rewrite(join(made.root, 'app.db'), 'first');
          const { file } = await create(made, { excludes }).catch((error: unknown) => {
            // Of links that lead out alone no archive is made.
            fc.pre(!(error instanceof BkpError && error.id === 'nothing-readable'));
            throw error;
          });

          for (const one of changes) apply(uploads, one);
          if (withDatabase) rewrite(join(made.root, 'app.db'), 'second');
          const server = await makeSpecial(uploads, special);
          if (as === unprivilegedAsync) closed.push(...unreadable.flatMap((n) => close(uploads, n) ?? []));
          before = asOurselves(() => describeTree(uploads));
          const step = (id: string): void => {
            if (id !== late.at && id !== 'named') return;
            if (id === late.at) applyIfAllowed(uploads, late);
            before = asOurselves(() => describeTree(uploads));
          };
          const result = await restoreOver(made, file, { excludes, compare }, { step })
            .catch((error: unknown) => error as Error)
            .finally(() => server?.close());
          return { made, file, result };
        });
        const uploads = join(made.root, 'uploads');
        if (result instanceof Error) {
          // What is excluded lies in a folder that is none in the backup: refused before anything moved.
          if (!(result instanceof BkpError)) throw result;
          expect([result.id, describeTree(uploads)]).toEqual(['swap-impossible', before]);
          return;
        }

        const [original, safety] = [newTarget(), newTarget()];
        await restore(file, original);
        // Where nothing could be read there is none.
        if (result.safety !== undefined) await restore(result.safety.file, safety);
        const backup: Found = describeTree(join(original, 'uploads'));
        const after: Found = describeTree(uploads);
        const saved: Found = result.safety === undefined ? {} : describeTree(join(safety, 'uploads'));
        const left = keptIn(made.root, result);

        const isExcluded = excludeMatcher([...excludes, ...own.map((glob) => `uploads/${glob}`)]);
        const excluded = Object.keys(before).filter((path) => isExcluded(`uploads/${below(path)}` as EntryPath, false));
        const lost = filesOf(before).filter(
          ([path, { content }]) =>
            ![after[path]?.content, saved[path]?.content].includes(content) &&
            !left.some(([at, one]) => at.endsWith(`/${below(path)}`) && one.content === content),
        );
        expect(lost).toEqual([]);
        // What lies in a folder that is closed stays aside with it.
        const isSeen = (path: string): boolean => !closed.some((one) => path.startsWith(`${one}/`));
        for (const path of excluded.filter((one) => isFreeIn(backup, one) && isSeen(one))) {
          expect([path, after[path]?.type, after[path]?.content]).toEqual([
            path,
            before[path]?.type,
            before[path]?.content,
          ]);
        }
        for (const [path, described] of Object.entries(backup)) {
          expect([path, after[path] && shape(after[path])]).toEqual([path, shape(described)]);
        }
        const carriedOrAbove = (path: string): boolean =>
          excluded.some((one) => one === path || one.startsWith(`${path}/`));
        expect(Object.keys(after).filter((path) => !(path in backup) && !carriedOrAbove(path))).toEqual([]);
        if (!withDatabase) return;
        expect([rowOf(join(made.root, 'app.db')), rowOf(join(safety, 'app.db'))]).toEqual(['first', 'second']);
      },
    ),
    { numRuns: rounds(4, 8), endOnFailure: true },
  );
});

it.each([true, false])(
  'brings a folder back where a file has taken its place (compared first: %s)',
  async (compare) => {
    const made = await instance({ uploads: { a: { b: 'first' } } }, [directory('uploads')]);
    const { file } = await create(made);
    rmSync(join(made.root, 'uploads/a'), { recursive: true });
    writeFileSync(join(made.root, 'uploads/a'), 'in the way');
    const { kept } = await restoreOver(made, file, { compare });
    expect(kept).toEqual([]);
    await expectTree(join(made.root, 'uploads'), { a: { b: 'first' } });
  },
);
