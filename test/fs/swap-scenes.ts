import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createJournal, readJournal, type Journal } from '../../src/fs/journal.js';
import { systemSwapIo, type SwapIo } from '../../src/fs/swap-io.js';
import { planSwap } from '../../src/fs/swap-plan.js';
import type { Move } from '../../src/fs/swap-move.js';
import { temporaryFolder } from '../helpers/surroundings.js';
import { linkTo, writeTree, type Tree } from '../helpers/tree.js';

/** By path below the root: which file it is, and what is in it. Without what lies in rooms. */
export type Snapshot = ReadonlyMap<string, string>;

export interface Scene {
  readonly root: string;
  /** Where the journal lies; also a room. */
  readonly folder: string;
  readonly moves: readonly Move[];
}

export const room = '.bkp-restore';

/** Live and staged trees below a root of their own; `moves` are told the root and the room. */
export async function scene(
  live: Tree,
  staged: Tree,
  moves: (root: string, folder: string) => readonly Move[],
): Promise<Scene> {
  const root = temporaryFolder();
  const folder = join(root, room);
  await writeTree(root, live);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await writeTree(join(folder, 'new'), staged);
  return { root, folder, moves: moves(root, folder) };
}

/** One of every kind of move, with live things missing, added and in the way of each other. */
export function everyKind(): Promise<Scene> {
  return scene(
    {
      var: {
        'system.brain': 'old system',
        'system.brain-wal': 'old log',
        uploads: { 'a.png': 'old a', gone: { f: 'old' }, cache: { tmp: 'mine' }, deep: { er: { kept: 'mine too' } } },
      },
      mount: { one: 'old 1', two: { inner: { own: 'mine' }, old: '2' }, stays: { x: 'x' }, going: 'old' },
      '.env': 'OLD=1',
      link: linkTo('old'),
      other: 'untouched',
    },
    {
      'system.brain': 'new system, longer',
      'user.brain': 'new user',
      uploads: { 'a.png': 'new a', 'b.png': 'new b' },
      snapshots: { s: { x: 'snap' } },
      mount: { one: 'new 1', two: { new: '2' }, three: { y: 'y' } },
      '.env': 'NEW=1',
      link: linkTo('new'),
    },
    (root, folder) => {
      const at = (live: string, staged = live) => ({
        live: join(root, live),
        staged: join(folder, 'new', staged),
        room: folder,
      });
      return [
        { kind: 'database', ...at('var/system.brain', 'system.brain') },
        { kind: 'database', ...at('var/user.brain', 'user.brain') },
        { kind: 'file', live: join(root, 'var/system.brain-wal'), room: folder },
        { kind: 'folder', ...at('var/uploads', 'uploads'), carry: ['cache', 'deep/er/kept', 'not-there'] },
        { kind: 'folder', ...at('var/snapshots', 'snapshots') },
        { kind: 'children', ...at('mount'), keep: ['stays'], carry: ['two/inner'] },
        { kind: 'file', ...at('.env') },
        { kind: 'file', ...at('link') },
      ];
    },
  );
}

/** One kind of move each, small enough to try every pair of deaths. */
export const singleKinds: readonly (() => Promise<Scene>)[] = [
  () => one({ db: 'old' }, { db: 'new!' }, 'db', { kind: 'database' }),
  () => one({}, { db: 'new!' }, 'db', { kind: 'database' }),
  () => one({ f: { a: 'old', c: { own: 'mine' } } }, { f: { a: 'new!' } }, 'f', { kind: 'folder', carry: ['c/own'] }),
  () => one({ m: { a: 'old', b: 'old' } }, { m: { b: 'new!', c: 'new!' } }, 'm', { kind: 'children' }),
  nestedDatabase,
];

/** A database inside a folder that is swapped: it is carried into the new folder, and exchanged there. */
export function nestedDatabase(): Promise<Scene> {
  return scene({ pb: { 'data.db': 'old', f: 'old' } }, { 'data.db': 'new!', pb: { f: 'new!' } }, (root, folder) => [
    { kind: 'folder', live: `${root}/pb`, staged: `${folder}/new/pb`, room: folder, carry: ['data.db'] },
    { kind: 'database', live: `${root}/pb/data.db`, staged: `${folder}/new/data.db`, room: folder },
  ]);
}

type Kind =
  | { readonly kind: 'database' | 'file' }
  | { readonly kind: 'folder' | 'children'; readonly carry?: readonly string[]; readonly keep?: readonly string[] };

/** A single move. */
export function one(live: Tree, staged: Tree, name: string, kind: Kind): Promise<Scene> {
  return scene(live, staged, (root, folder) => [
    { ...kind, live: join(root, name), staged: join(folder, 'new', name), room: folder },
  ]);
}

export async function journalOf({ folder, moves }: Scene): Promise<Journal> {
  return createJournal(folder, await planSwap(folder, moves, quickIo));
}

export function phaseOf({ folder }: Scene): string | undefined {
  return readJournal(folder)?.phase;
}

export function snapshot(root: string): Snapshot {
  const seen = new Map<string, string>();
  visit(root, (path, identity) => {
    if (path !== room && !path.startsWith(`${room}/`)) seen.set(path, identity);
  });
  return seen;
}

/** What a journal leads to, told by its moves alone: an independent model of a swap. To be asked before it. */
export function expectedAfter({ root, moves }: Scene): Snapshot {
  let tree = new Map(snapshot(root));
  for (const move of moves) {
    const live = move.live.slice(root.length + 1);
    const keep = move.kind === 'children' ? (move.keep ?? []) : [];
    const carry = 'carry' in move ? move.carry : [];
    const stays = [...keep, ...carry].map((path) => `${live}/${path}`);
    const isStaying = (path: string): boolean => stays.some((one) => path === one || path.startsWith(`${one}/`));
    const isOld = (path: string): boolean => path.startsWith(`${live}/`) || (path === live && move.kind !== 'children');
    tree = new Map([...tree].filter(([path]) => !isOld(path) || isStaying(path)));
    if (move.staged !== undefined) addStaged(tree, live, move.staged, move.kind === 'children');
  }
  return new Map([...tree].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function addStaged(tree: Map<string, string>, live: string, staged: string, childrenOnly: boolean): void {
  if (!childrenOnly) tree.set(live, identityText(staged));
  visit(staged, (path, identity) => tree.set(`${live}/${path}`, identity));
}

export function sorted(tree: Snapshot): readonly (readonly [string, string])[] {
  return [...tree].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Every file, link and folder anywhere below, rooms included, but journals and the folders that swaps make for themselves. */
export function inventory(root: string): ReadonlySet<string> {
  const seen = new Set<string>();
  visit(root, (path, identity) => {
    if (!/^\.bkp-restore\/(\.?journal\.|swap-\d+(\/(aside|found)(\/[^/]*)?)?$)/.test(path)) seen.add(identity);
  });
  return seen;
}

function visit(folder: string, see: (path: string, identity: string) => void, prefix = ''): void {
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch {
    // A file: nothing lies below it.
    return;
  }
  for (const name of names) {
    const at = join(folder, name);
    see(`${prefix}${name}`, identityText(at));
    if (lstatSync(at).isDirectory()) visit(at, see, `${prefix}${name}/`);
  }
}

function identityText(path: string): string {
  const found = lstatSync(path, { bigint: true });
  const content = found.isSymbolicLink() ? readlinkSync(path) : found.isFile() ? readFileSync(path, 'latin1') : '';
  return `${found.ino} ${found.mode.toString(8)} ${content}`;
}

export type Call = keyof SwapIo;

/** Without waiting for the disk: a killed process loses nothing that it changed. What is to be synced must be there. */
export const quickIo: SwapIo = { ...systemSwapIo, syncFolder: async (path) => void readdirSync(path) };

/** Runs `before` ahead of each call; with its number from 0, its name and path. */
export function watchedIo(before: (number: number, call: Call, path: string) => void): SwapIo {
  let number = 0;
  const on = (call: Call, path: string): void => before(number++, call, path);
  return {
    look: (path) => (on('look', path), systemSwapIo.look(path)),
    link: (from, to) => (on('link', from), systemSwapIo.link(from, to)),
    rename: (from, to) => (on('rename', from), systemSwapIo.rename(from, to)),
    unlink: (path) => (on('unlink', path), systemSwapIo.unlink(path)),
    chmod: (path, mode) => (on('chmod', path), systemSwapIo.chmod(path, mode)),
    makeFolder: (path) => (on('makeFolder', path), systemSwapIo.makeFolder(path)),
    syncFolder: async (path) => (on('syncFolder', path), quickIo.syncFolder(path)),
    writeFile: async (path, bytes) => (on('writeFile', path), systemSwapIo.writeFile(path, bytes)),
  };
}

/** As Node.js says it. */
export function systemError(code: string, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: made for a test, ${call} '${path}'`), { code, syscall: call, path });
}

/** Each call that may be the last one: looking changes nothing. */
export const isChange = (call: Call): boolean => call !== 'look' && call !== 'syncFolder';

/**
 * Nothing is done any more from the n-th change on, as in a process that was killed just before it. Before that, call
 * `failAt` fails, and changes count from there.
 */
export function dyingIo(n: number, failAt = -1): { readonly io: SwapIo; readonly died: () => boolean } {
  let changes = 0;
  let dead = false;
  const io = watchedIo((number, call, path) => {
    dead ||= number > failAt && isChange(call) && changes++ === n;
    if (dead) throw systemError('KILLED', call, path);
    if (number === failAt) throw systemError('EIO', call, path);
  });
  return { io, died: () => dead };
}

/** Whether it ended by itself, and not by the death of its file system. */
export async function survives(action: Promise<unknown>, died: () => boolean): Promise<boolean> {
  try {
    await action;
  } catch (error) {
    if (!died()) throw error;
  }
  return !died();
}
