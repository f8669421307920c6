import { describe, expect, it } from 'vitest';
import { SumsCursor, SumsInTurn } from '../../src/manifest/sums-cursor.js';
import { listed } from './listed.js';

const sumOf = (index: number): string => index.toString(16).padStart(64, '0');
const paths = Array.from({ length: 50 }, (_, index) => `d/${String(index).padStart(2, '0')}`);
const sums = () => listed(paths.map((path, index) => [path, sumOf(index)]));

describe('SumsCursor', () => {
  it('gives the sum of the next line, and only to the file it is about', async () => {
    const cursor = new SumsCursor(await sums());
    for (const [index, path] of paths.slice(0, 40).entries()) {
      await cursor.ready();
      expect(cursor.take('d/x')).toBeUndefined();
      expect(cursor.take(path)).toBe(sumOf(index));
    }
    const rest: string[] = [];
    for await (const { path } of cursor.rest()) rest.push(path);
    expect(rest).toEqual(paths.slice(40));
    await cursor.ready();
    expect(cursor.take('d/49')).toBeUndefined();
  });

  it('gives nothing once it is closed', async () => {
    const cursor = new SumsCursor(await sums());
    await cursor.ready();
    await cursor.close();
    expect(cursor.ready()).toBeUndefined();
    expect(cursor.take('d/00')).toBeUndefined();
  });
});

describe('SumsInTurn', () => {
  it('gives every sum, in the order of the lines and in any other', async () => {
    for (const order of [paths, [...paths].reverse(), [...paths.slice(0, 20), 'd/x', ...paths.slice(20), 'd/00']]) {
      const inTurn = new SumsInTurn(await sums());
      for (const path of order) {
        const index = paths.indexOf(path);
        expect([path, await inTurn.of(path)]).toEqual([path, index === -1 ? undefined : sumOf(index)]);
      }
      await inTurn.close();
    }
  });
});
