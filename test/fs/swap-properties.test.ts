import fc from 'fast-check';
import { appendFileSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { readJournal } from '../../src/fs/journal.js';
import type { Move } from '../../src/fs/swap-move.js';
import { surveySwap } from '../../src/fs/swap-survey.js';
import { commitSwap, recoverSwap } from '../../src/fs/swap.js';
import { BkpError } from '../../src/base/errors.js';
import { removeTree } from '../../src/fs/remove-tree.js';
import { rounds } from '../helpers/rounds.js';
import type { Tree } from '../helpers/tree.js';
import {
  dyingIo,
  expectedAfter,
  inventory,
  journalOf,
  quickIo,
  scene,
  snapshot,
  sorted,
  survives,
  type Scene,
} from './swap-scenes.js';

const name = fc.constantFrom('a', 'b', 'c', 'd');
const { folder } = fc.letrec<{ node: string | Tree; folder: Tree }>((tie) => ({
  node: fc.oneof({ depthSize: 'small' }, fc.string({ maxLength: 4 }), tie('folder')),
  folder: fc.dictionary(name, tie('node'), { maxKeys: 4 }),
}));
const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });

/** A live thing, what was staged for it, and which of the things in both are to be carried or kept (as far as can be). */
const source = fc.oneof(
  fc.record({ kind: fc.constant('database' as const), live: optional(fc.string()), staged: fc.string() }),
  fc.record({ kind: fc.constant('file' as const), live: optional(fc.string()), staged: optional(fc.string()) }),
  fc.record({ kind: fc.constant('folder' as const), live: optional(folder), staged: folder, picks: fc.nat(255) }),
  fc.record({ kind: fc.constant('children' as const), live: folder, staged: folder, picks: fc.nat(255) }),
);
const sources = fc.array(source, { minLength: 1, maxLength: 4 });
type Source = typeof source extends fc.Arbitrary<infer T> ? T : never;

async function build(all: readonly Source[]): Promise<Scene> {
  const live: Record<string, Tree[string]> = {};
  const staged: Record<string, Tree[string]> = {};
  for (const [number, one] of all.entries()) {
    if (one.live !== undefined) live[`s${number}`] = one.live;
    if (one.staged !== undefined) staged[`s${number}`] = one.staged;
  }
  return scene(live, staged, (root, room) =>
    all.map((one, number): Move => {
      const at = { live: join(root, `s${number}`), room };
      const from = join(room, 'new', `s${number}`);
      if (one.kind === 'database') return { kind: one.kind, ...at, staged: from };
      if (one.kind === 'file') return { kind: one.kind, ...at, ...(one.staged === undefined ? {} : { staged: from }) };
      return { kind: one.kind, ...at, staged: from, carry: carried(one) };
    }),
  );
}

/** Paths in the live tree whose place in the staged one is free. */
function carried({ live, staged, picks }: { live: Tree | undefined; staged: Tree; picks: number }): string[] {
  const free = paths(live ?? {}).filter((path) => isFree(staged, path.split('/')));
  return free.filter((_, number) => ((picks >> (number % 8)) & 1) === 1);
}

function paths(tree: Tree): string[] {
  return Object.entries(tree).flatMap(([key, node]) =>
    typeof node === 'string' ? [key] : [key, ...paths(node as Tree).map((path) => `${key}/${path}`)],
  );
}

function isFree(tree: Tree, [first, ...rest]: readonly string[]): boolean {
  const node = Object.hasOwn(tree, first!) ? tree[first!] : undefined;
  if (node === undefined) return true;
  return rest.length > 0 && typeof node === 'object' && isFree(node as Tree, rest);
}

/** What somebody does between a kill and the recovery, to the n-th thing there is. */
const meddling = fc.array(
  fc.record({ n: fc.nat(50), how: fc.constantFrom('write', 'replace', 'delete', 'fill', 'make') }),
  { maxLength: 3 },
);

function meddle(root: string, { n, how }: { readonly n: number; readonly how: string }, number: number): void {
  const all = [...snapshot(root).keys()];
  const path = join(root, all[n % Math.max(all.length, 1)] ?? 's0');
  const isFolder = lstatSync(path, { throwIfNoEntry: false })?.isDirectory();
  if (how === 'delete') rmSync(path, { recursive: true, force: true });
  else if (how === 'make') {
    const missing = ['s0', 's1', 's2', 's3'].map((one) => join(root, one)).find((one) => !isThere(one));
    if (missing !== undefined) mkdirSync(missing);
  } else if (isFolder === true) writeFileSync(join(path, `${how}${number}`), 'theirs');
  else if (how === 'write' && isFolder === false) appendFileSync(path, 'theirs');
  else if (isFolder === false) {
    writeFileSync(`${dirname(path)}/tmp`, 'theirs');
    renameSync(`${dirname(path)}/tmp`, path);
  }
}

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

async function prepared(all: readonly Source[]) {
  const made = await build(all);
  const journal = await journalOf(made);
  return { made, journal, before: snapshot(made.root), wanted: expectedAfter(made), all: inventory(made.root) };
}

const death = fc.nat(60);

it('is all or nothing for any plan, any failure and any two deaths', async () => {
  await fc.assert(
    fc.asyncProperty(sources, optional(death), optional(death), death, async (plan, failAt, first, second) => {
      const run = await prepared(plan);
      const { root, folder } = run.made;
      const dying = dyingIo(first ?? Infinity, failAt);
      const error: unknown = await commitSwap(run.journal, dying.io).then(
        () => undefined,
        (caught: unknown) => caught,
      );
      let { phase } = readJournal(folder)!;
      if (!dying.died()) expect(phase).toBe(error === undefined ? 'committed' : 'undone');
      const isNew = phase === 'committing' || phase === 'committed';
      const again = dyingIo(second);
      if (!(await survives(recoverSwap(folder, again.io), again.died))) await recoverSwap(folder, quickIo);
      ({ phase } = readJournal(folder)!);
      expect(phase).toBe(isNew ? 'committed' : 'undone');
      expect(sorted(snapshot(root))).toEqual(sorted(isNew ? run.wanted : run.before));
      expect(inventory(root)).toEqual(run.all);
      expect(surveySwap(readJournal(folder)!)).toEqual([]);
      await removeTree(root);
    }),
    { numRuns: rounds(100, 200) },
  );
});

it('loses nothing, whatever others do to the live tree before it is recovered', async () => {
  await fc.assert(
    fc.asyncProperty(sources, optional(death), death, meddling, async (plan, failAt, first, deeds) => {
      const run = await prepared(plan);
      const { root, folder } = run.made;
      await commitSwap(run.journal, dyingIo(first, failAt).io).catch(() => undefined);
      deeds.forEach((deed, number) => meddle(root, deed, number));
      const all = inventory(root);
      const failure = await recoverSwap(folder, quickIo).then(
        () => undefined,
        (error: unknown) => error,
      );
      const tree = snapshot(root);
      const left = inventory(root);
      expect([...all].filter((identity) => !left.has(identity))).toEqual([]);
      if (failure !== undefined) expect(failure).toBeInstanceOf(BkpError);
      const id = failure instanceof BkpError ? failure.id : 'restore-rolled-back';
      expect(['restore-rolled-back', 'rollback-failed']).toContain(id);
      // Where others removed the very folder that things go back to, they stay where they are, and are told.
      if (id === 'rollback-failed') return removeTree(root);
      const journal = await recoverSwap(folder, quickIo);
      expect(['committed', 'undone']).toContain(journal?.phase);
      expect(snapshot(root)).toEqual(tree);
      // Whatever was moved is named where it lies.
      for (const one of surveySwap(journal!)) if (one.kind === 'moved') expect(isThere(one.at)).toBe(true);
      expect(readdirSync(folder)).toContain(`journal.${journal!.phase}.json`);
      await removeTree(root);
    }),
    { numRuns: rounds(125, 250) },
  );
});
