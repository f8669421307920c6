import {
  chmodSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { unixSeconds } from '../../src/fs/unix-time.js';

/** What a literal may say of an entry besides its content. Times in nanoseconds; put on disk to the microsecond. */
export interface Meta {
  readonly mode?: number;
  readonly mtime?: bigint;
  readonly uid?: number;
  readonly gid?: number;
}

export interface Link {
  readonly kind: 'link';
  readonly target: string;
}

export interface WithMeta {
  readonly kind: 'meta';
  readonly node: Buffer | string | Link | Tree;
  readonly meta: Meta;
}

/** A folder: text or bytes are files, objects are folders. */
export interface Tree {
  readonly [name: string]: Buffer | string | Link | WithMeta | Tree;
}

type Node = Tree[string];

export function linkTo(target: string): Link {
  return { kind: 'link', target };
}

export function withMeta(node: WithMeta['node'], meta: Meta): WithMeta {
  return { kind: 'meta', node, meta };
}

/** The same bytes for the same arguments; they do not compress well. */
export function bytes(count: number, seed = 1): Buffer {
  const made = Buffer.allocUnsafe(count);
  let state = (seed * 2654435761) >>> 0;
  for (let at = 0; at < count; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    made[at] = state >>> 24;
  }
  return made;
}

/** Makes the tree in a folder, which is made too where it is missing. */
export async function writeTree(folder: string, tree: Tree): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const [name, node] of Object.entries(tree)) await writeNode(join(folder, name), node);
}

async function writeNode(path: string, node: Node): Promise<void> {
  const { content, meta } = split(node);
  if (typeof content === 'string' || Buffer.isBuffer(content)) writeFileSync(path, content);
  else if (isLink(content)) symlinkSync(content.target, path);
  else await writeTree(path, content);
  setMeta(path, meta, isLink(content));
}

function setMeta(path: string, { mode, mtime, uid, gid }: Meta, link: boolean): void {
  if (uid !== undefined || gid !== undefined) lchownSync(path, uid ?? -1, gid ?? -1);
  if (mode !== undefined && !link) chmodSync(path, mode);
  if (mtime !== undefined) lutimesSync(path, unixSeconds(mtime), unixSeconds(mtime));
}

/** The tree in a folder, as a literal without meta; files are buffers. */
export async function readTree(folder: string): Promise<Tree> {
  return readLike(folder, undefined);
}

/** The folder holds exactly this: nothing missing, nothing more. Of meta, what the literal says is compared. */
export async function expectTree(folder: string, tree: Tree): Promise<void> {
  expect(readLike(folder, tree)).toEqual(normalTree(tree));
}

/** What is on disk, with the meta that `like` has at the same place. */
function readLike(folder: string, like: Tree | undefined): Tree {
  const names = readdirSync(folder).sort();
  return Object.fromEntries(names.map((name) => [name, readNode(join(folder, name), own(like, name))]));
}

function readNode(path: string, like: Node | undefined): Node {
  const wanted = like === undefined ? undefined : split(like);
  const found = lstatSync(path, { bigint: true });
  const content = ((): WithMeta['node'] => {
    if (found.isSymbolicLink()) return linkTo(readlinkSync(path));
    if (found.isDirectory()) return readLike(path, wanted && isFolder(wanted.content) ? wanted.content : undefined);
    return found.isFile() ? readFileSync(path) : `neither file nor folder nor link`;
  })();
  if (wanted === undefined || Object.keys(wanted.meta).length === 0) return content;
  const meta: Required<Meta> = {
    mode: Number(found.mode & 0o7777n),
    mtime: found.mtimeNs / 1000n,
    uid: Number(found.uid),
    gid: Number(found.gid),
  };
  return withMeta(content, pick(meta, wanted.meta));
}

function pick(from: Required<Meta>, like: Meta): Meta {
  const names = Object.keys(like) as (keyof Meta)[];
  return Object.fromEntries(names.map((name) => [name, from[name]]));
}

function normalTree(tree: Tree): Tree {
  return Object.fromEntries(Object.entries(tree).map(([name, node]) => [name, normalNode(node)]));
}

function normalNode(node: Node): Node {
  const { content, meta } = split(node);
  const normal = typeof content === 'string' ? Buffer.from(content) : isFolder(content) ? normalTree(content) : content;
  if (Object.keys(meta).length === 0) return normal;
  return withMeta(normal, meta.mtime === undefined ? meta : { ...meta, mtime: meta.mtime / 1000n });
}

function own(tree: Tree | undefined, name: string): Node | undefined {
  return tree !== undefined && Object.hasOwn(tree, name) ? tree[name] : undefined;
}

function split(node: Node): { content: WithMeta['node']; meta: Meta } {
  if (isKind(node, 'meta')) return { content: (node as WithMeta).node, meta: (node as WithMeta).meta };
  return { content: node as WithMeta['node'], meta: {} };
}

function isLink(node: WithMeta['node']): node is Link {
  return isKind(node, 'link');
}

function isFolder(node: WithMeta['node']): node is Tree {
  return typeof node === 'object' && !Buffer.isBuffer(node) && !isLink(node);
}

/** A folder may hold a file of the name `kind`; its text would have to be that very word. */
function isKind(node: Node, kind: string): boolean {
  return typeof node === 'object' && !Buffer.isBuffer(node) && 'kind' in node && node.kind === kind;
}
