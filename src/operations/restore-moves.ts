import { join, relative } from 'node:path';
import type { EntryPath } from '../base/entry-path.js';
import { walk } from '../fs/walk.js';
import type { Move } from '../fs/swap-move.js';
import { isThere, livePath } from './plan-in-place.js';
import { liesBelow, sidecarSuffixes } from './resolve-sources.js';
import type { RestoreUnit } from './restore-units.js';
import { leftOutOf } from './source-walk.js';
import type { Staged } from './stage-units.js';
import { refuseUnseen } from './unseen-content.js';

export interface MovesRequest {
  readonly units: readonly RestoreUnit[];
  readonly staged: Staged;
  /** Globs of the target's configuration. */
  readonly excludes: readonly string[];
  /** Real paths that stay what they are: storage, private folders, sources that are not restored. */
  readonly staying: readonly string[];
  /** Sidecars of absent or broken databases that still hold something. */
  readonly stale: readonly string[];
}

/** The moves that put everything staged at its place. Only looks. */
export function restoreMoves(request: MovesRequest): readonly Move[] {
  const moves = request.units.flatMap((unit) => unitMoves(unit, request));
  const named = new Set(moves.map(({ live }) => live));
  const stale = request.stale.flatMap((live): Move[] => {
    const unit = request.units.find((one) => live.startsWith(one.live));
    return unit === undefined || unit.mode === 'inside' || named.has(live)
      ? []
      : [{ kind: 'file', live, room: unit.room }];
  });
  return [...moves, ...stale];
}

function unitMoves(unit: RestoreUnit, request: MovesRequest): readonly Move[] {
  const { live, room, staged } = unit;
  if (unit.mode === 'inside') return [];
  if (unit.mode === 'files') {
    return (request.staged.singles.get(unit) ?? []).map((rest): Move => {
      return { kind: 'file', live: livePath(unit, rest), staged: join(staged, rest), room };
    });
  }
  if (unit.source.type === 'sqlite') {
    const sidecars = (request.staged.sidecars.get(unit) ?? []).map((suffix): Move => {
      return { kind: 'file', live: `${live}${suffix}`, staged: `${staged}${suffix}`, room };
    });
    return [{ kind: 'database', live, staged, room }, ...sidecars];
  }
  const carry = unit.exists ? carried(unit, request) : [];
  const kind = unit.mode === 'children' ? 'children' : 'folder';
  return [{ kind, live, staged, room, carry }];
}

/**
 * What lies in a folder and is not the backup's to replace, outermost first; what the backup holds itself is not carried.
 * Excluded things in a folder that may not be read are not found: they stay aside with it.
 */
function carried(unit: RestoreUnit, { excludes, staying }: MovesRequest): readonly string[] {
  const isLeftOut = leftOutOf(unit.source, excludes);
  const found: string[] = staying
    .flatMap((path) => [path, ...sidecarSuffixes.map((suffix) => `${path}${suffix}`)])
    .filter((path) => liesBelow(path, unit.live) && isThere(path))
    .map((path) => relative(unit.live, path));
  const known = new Set(found);
  const take = (path: EntryPath, isDirectory: boolean): boolean => {
    const rest = path.slice(unit.source.name.length + 1);
    if (known.has(rest)) return true;
    if (!isLeftOut(path, isDirectory)) return false;
    found.push(rest);
    return true;
  };
  for (const walked of walk({ root: unit.live, prefix: unit.source.name, exclude: take })) {
    if (walked.kind === 'finding') refuseUnseen(walked, unit.live);
  }
  return found.filter((rest) => !isThere(join(unit.staged, rest)));
}
