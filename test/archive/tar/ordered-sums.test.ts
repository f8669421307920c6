import { expect, it } from 'vitest';
import type { EntrySum } from '../../../src/archive/archive.js';
import { OrderedSums } from '../../../src/archive/tar/ordered-sums.js';
import type { EntryPath } from '../../../src/base/entry-path.js';

const sum = (path: string): EntrySum => ({ path: path as EntryPath, bytes: 0, sha256: '' });

it('passes sums on in their order, whichever is known first', () => {
  const told: string[] = [];
  const sums = new OrderedSums(({ path }) => told.push(path));
  sums.add(sum('a'));
  expect(told).toEqual(['a']);
  const [b, d] = [sums.later(), (sums.add(sum('c')), sums.later())];
  sums.add(sum('e'));
  d(sum('d'));
  expect(told).toEqual(['a']);
  b(sum('b'));
  expect(told).toEqual(['a', 'b', 'c', 'd', 'e']);
  sums.add(sum('f'));
  expect(told.at(-1)).toBe('f');
});
