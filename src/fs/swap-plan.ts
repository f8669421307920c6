import { basename, dirname, join } from 'node:path';
import { BkpError, ioError, systemCode } from '../base/errors.js';
import { listFolder, nameOf } from './folder-listing.js';
import type { ExchangeStep, Step } from './journal-format.js';
import { isInside } from './link-target.js';
import { asideFolder, newPlace } from './swap-place.js';
import { prepareCarry } from './swap-carry.js';
import { checkPaths, type Move } from './swap-move.js';
import { systemSwapIo, type SwapIo } from './swap-io.js';
import { isOneFile, type Identity } from './swap-identity.js';

/**
 * Looks at all that will be moved, and makes sure that it can be: each step on one device, no mount point, nothing in
 * the way. Makes the folders that the moves need in rooms and staged trees and syncs those that names will change in;
 * touches nothing live. `folder`: where the journal will lie. Throws `swap-impossible`, and `io-failed`.
 */
export async function planSwap(
  folder: string,
  moves: readonly Move[],
  io: SwapIo = systemSwapIo,
): Promise<readonly Step[]> {
  const places = new Map<string, string>();
  const steps: Step[] = [];
  for (const [number, move] of moves.entries()) {
    checkPaths(move);
    try {
      const place = places.get(move.room) ?? newPlace(move.room, io);
      places.set(move.room, place);
      steps.push(...expand(move, { number, place, io }));
    } catch (error) {
      throw asExpected('looking at', move.live, error);
    }
  }
  checkOverlaps(steps, [
    folder,
    ...moves.flatMap(({ room, staged }) => [room, ...(staged === undefined ? [] : [staged])]),
  ]);
  await makeRoom(steps, io);
  return steps;
}

/** Makes the folders that old things go to. Syncing shows that it can be done, before anything depends on it. */
async function makeRoom(steps: readonly Step[], io: SwapIo): Promise<void> {
  const exchanges = steps.filter((step) => step.kind !== 'carry');
  const asides = new Map(exchanges.map(({ aside, place }) => [dirname(aside), dirname(place)]));
  const touched = new Set<string>();
  for (const [folder, room] of asides) {
    try {
      io.makeFolder(folder);
    } catch (error) {
      throw asExpected('making', folder, error);
    }
    for (let at = folder; isInside(room, at); at = dirname(at)) touched.add(at);
  }
  for (const step of exchanges) {
    touched.add(dirname(step.live));
    if (step.new !== undefined) touched.add(dirname(step.new.staged));
  }
  for (const path of touched) await io.syncFolder(path);
}

interface Context {
  readonly number: number;
  readonly place: string;
  readonly io: SwapIo;
}

function expand(move: Move, context: Context): readonly Step[] {
  const { live, staged, room } = move;
  const { io } = context;
  const device = mustBeFolder(room, io).dev;
  const folder = asideFolder(context.place, context.number);
  const aside = join(folder, basename(live));
  switch (move.kind) {
    case 'database':
      mustBeFolder(dirname(live), io, device);
      return [database(exchange({ live, aside, place: context.place }, staged, context, device))];
    case 'file':
      mustBeFolder(dirname(live), io, device);
      return [exchange({ live, aside, place: context.place }, staged, context, device)];
    case 'folder': {
      mustBeFolder(dirname(live), io, device);
      const carried = prepareCarry(move, aside, context.place, io);
      return [exchange({ live, aside, place: context.place }, staged, context, device), ...carried];
    }
    case 'children':
      mustBeFolder(live, io, device);
      mustBeFolder(move.staged, io, device);
      return expandChildren(move, folder, context, device);
  }
}

function expandChildren(
  move: Extract<Move, { kind: 'children' }>,
  aside: string,
  context: Context,
  device: string,
): readonly Step[] {
  const { live, staged, carry = [] } = move;
  const { place } = context;
  const keep = new Set([...(move.keep ?? []), ...carry.filter((path) => !path.includes('/'))]);
  const deeper = carry.filter((path) => path.includes('/') && !keep.has(path.slice(0, path.indexOf('/'))));
  const carried = prepareCarry({ live, staged, carry: deeper }, aside, place, context.io);
  const before = new Set(childNames(live, keep));
  const after = new Set(childNames(staged, new Set()));
  const stuck = [...after].find((name) => keep.has(name));
  if (stuck !== undefined) throw impossible(join(staged, stuck), `${join(live, stuck)} is to stay as it is`);
  const steps = [...new Set([...before, ...after])].map((name) => {
    const paths = { live: join(live, name), aside: join(aside, name), place };
    return exchange(paths, after.has(name) ? join(staged, name) : undefined, context, device);
  });
  return [...steps, ...carried];
}

function childNames(folder: string, keep: ReadonlySet<string>): readonly string[] {
  const { entries, badNames } = listFolder(folder);
  if (badNames.length > 0) {
    throw impossible(folder, 'a name in it is not valid UTF-8', 'Rename that file; `bkp create` names it.');
  }
  return entries.map(nameOf).filter((name) => !keep.has(name));
}

function exchange(
  paths: Pick<ExchangeStep, 'live' | 'aside' | 'place'>,
  staged: string | undefined,
  { io }: Context,
  device: string,
): ExchangeStep {
  const old = io.look(paths.live);
  if (old !== undefined) mustBeOn(device, paths.live, old);
  const step: ExchangeStep = { kind: 'entry', ...paths, ...(old === undefined ? {} : { old }) };
  if (staged === undefined) return step;
  const identity = io.look(staged);
  if (identity === undefined) throw impossible(staged, 'it is missing');
  mustBeOn(device, staged, identity);
  if (old !== undefined && isOneFile(old, identity)) throw impossible(staged, `it is the same file as ${paths.live}`);
  return { ...step, new: { staged, identity } };
}

function database(step: ExchangeStep): ExchangeStep {
  if ((step.old?.kind ?? 'file') !== 'file') throw impossible(step.live, 'it is not a regular file');
  if (step.new?.identity.kind !== 'file') throw impossible(step.live, 'what was staged for it is not a regular file');
  return { ...step, kind: 'database' };
}

function mustBeFolder(path: string, io: SwapIo, device?: string): Identity {
  const found = io.look(path);
  if (found === undefined) throw impossible(path, 'it is missing');
  if (found.kind !== 'folder') throw impossible(path, 'it is not a folder');
  if (device !== undefined) mustBeOn(device, path, found);
  return found;
}

function mustBeOn(device: string, path: string, found: Identity): void {
  if (found.dev === device) return;
  throw impossible(path, 'it lies on another file system than what it is to be exchanged with, or is a mount point');
}

/** What is moved may not hold what has to stay; and nothing is moved twice. */
function checkOverlaps(steps: readonly Step[], staying: readonly string[]): void {
  const seen = new Set<string>();
  for (const step of steps) {
    const { live } = step;
    const held = staying.find((path) => isInside(live, path));
    if (held !== undefined) throw impossible(live, `${held} lies in it`);
    if (step.kind === 'carry') continue;
    if (seen.has(live)) throw impossible(live, 'two moves want to put something there');
    seen.add(live);
  }
}

function impossible(path: string, why: string, hint?: string): BkpError {
  return new BkpError('swap-impossible', `${path} cannot be moved: ${why}`, {
    path,
    hint: hint ?? 'Nothing was changed.',
  });
}

function asExpected(doing: string, path: string, error: unknown): unknown {
  return systemCode(error) === undefined ? error : ioError(doing, path, error);
}
