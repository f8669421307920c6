import { isAbsolute, normalize, resolve } from 'node:path';

interface Place {
  /** Absolute, normalised, and real: no links on the way. */
  readonly live: string;
  /** A private folder that exists, on the device of `live` and never inside what is moved. */
  readonly room: string;
}

/** What a restore puts at its place. `staged` and `live` change places; what was at `live` may be missing. */
export type Move =
  /** The live path is never absent: there is the old file or the new one. The caller holds both locked. */
  | ({ readonly kind: 'database'; readonly staged: string } & Place)
  /** One file or link. Without `staged` the live one is put aside. */
  | ({ readonly kind: 'file'; readonly staged?: string } & Place)
  /** `carry`: paths below `live` that move on into the new folder. */
  | ({ readonly kind: 'folder'; readonly staged: string; readonly carry?: readonly string[] } & Place)
  /** All that lies in the folder, but not itself (a mount point, the root). `keep`: names that stay as they are. */
  | ({
      readonly kind: 'children';
      readonly staged: string;
      readonly keep?: readonly string[];
      readonly carry?: readonly string[];
    } & Place);

/** Throws a `RangeError`: such paths are made by us. */
export function checkPaths(move: Move): void {
  const { live, room, staged } = move;
  const carry = 'carry' in move ? move.carry : [];
  const keep = 'keep' in move ? move.keep : [];
  const wrong =
    [live, room, ...(staged === undefined ? [] : [staged])].find((path) => resolve(path) !== path) ??
    [...carry, ...keep].find((path) => !isBelow(path)) ??
    keep.find((name) => name.includes('/'));
  if (wrong !== undefined) throw new RangeError(`not a path that can be moved: ${JSON.stringify(wrong)}`);
}

function isBelow(path: string): boolean {
  return !isAbsolute(path) && normalize(path) === path && !path.endsWith('/') && !/^\.{0,2}(\/|$)/.test(path);
}
