import type { EntryHeader } from '../archive/archive.js';
import { localTime } from '../base/clock.js';
import { shownName } from './display.js';
import { formatEntryTime } from './format.js';
import type { EntryLine } from './json-lines/show.js';

const kindLetters = { file: '-', directory: 'd', link: 'l' } as const;

/** As `ls -l` writes it: `-rw-r--r--`, set-id and sticky bits included. */
export function modeText(kind: EntryHeader['kind'], mode: number): string {
  const triple = (shift: number, special: number, letter: string): string => {
    const bits = mode >> shift;
    const runs = (bits & 1) === 1;
    const last = (mode & special) === 0 ? (runs ? 'x' : '-') : runs ? letter : letter.toUpperCase();
    return `${(bits & 4) === 0 ? '-' : 'r'}${(bits & 2) === 0 ? '-' : 'w'}${last}`;
  };
  return `${kindLetters[kind]}${triple(6, 0o4000, 's')}${triple(3, 0o2000, 's')}${triple(0, 0o1000, 't')}`;
}

/** A backup's content, an entry a line: mode, owner, bytes, time, path, where a link points. */
export function* entryTexts(entries: readonly EntryHeader[]): Iterable<string> {
  const widest = (of: (entry: EntryHeader) => number): number =>
    String(entries.reduce((most, entry) => Math.max(most, of(entry)), 0)).length;
  const [uids, gids, sizes] = [widest(({ uid }) => uid), widest(({ gid }) => gid), widest(({ size }) => size)];
  const times = entries.reduce((most, { mtime }) => Math.max(most, timeText(mtime).length), 0);
  for (const { kind, mode, uid, gid, size, mtime, path, target } of entries) {
    const owner = `${String(uid).padStart(uids)} ${String(gid).padStart(gids)}`;
    const time = timeText(mtime).padEnd(times);
    const pointing = target === undefined ? '' : ` -> ${shownName(target)}`;
    yield `${modeText(kind, mode)} ${owner} ${String(size).padStart(sizes)} ${time} ${shownName(path)}${pointing}`;
  }
}

/** Nanoseconds since 1970. */
const timeText = (mtime: bigint): string => localTime(Number(mtime / 1_000_000n));

export function entryLine({ path, kind, size, mode, mtime, uid, gid, target }: EntryHeader): EntryLine {
  const time = formatEntryTime(mtime) ?? null;
  const octal = mode.toString(8).padStart(4, '0');
  return { type: 'entry', path, kind, bytes: size, mode: octal, time, uid, gid, target: target ?? null };
}
