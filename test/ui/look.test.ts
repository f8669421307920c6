import { describe, expect, it } from 'vitest';
import { colorLevel, isDumb, widthOf } from '../../src/ui/look.js';

const terminal = (depth: number) => ({ isTTY: true, columns: 132, getColorDepth: () => depth });
const pipe = {};

describe('colorLevel', () => {
  it('is that of the terminal, and none elsewhere', () => {
    expect([1, 4, 8, 24].map((depth) => colorLevel(terminal(depth), {}, true))).toEqual([0, 1, 2, 3]);
    expect(colorLevel(pipe, {}, true)).toBe(0);
    expect(colorLevel(terminal(24), { TERM: 'dumb' }, true)).toBe(0);
  });

  it('is forced by FORCE_COLOR', () => {
    const forced = (value: string) => colorLevel(pipe, { FORCE_COLOR: value }, true);
    expect(['', '1', 'true', '2', '3'].map(forced)).toEqual([1, 1, 1, 2, 3]);
    expect(colorLevel(terminal(24), { FORCE_COLOR: '0' }, true)).toBe(0);
  });

  it('is none with NO_COLOR or --no-color, whatever else is said', () => {
    expect(colorLevel(terminal(24), { NO_COLOR: '1', FORCE_COLOR: '3' }, true)).toBe(0);
    expect(colorLevel(terminal(24), { FORCE_COLOR: '3' }, false)).toBe(0);
    expect(colorLevel(terminal(24), { NO_COLOR: '' }, true)).toBe(3);
  });
});

describe('a screen', () => {
  it('is 80 columns wide where no terminal tells', () => {
    expect(widthOf(terminal(1))).toBe(132);
    expect(widthOf(pipe)).toBe(80);
    expect(widthOf({ columns: 200 })).toBe(80);
    expect(widthOf({ isTTY: true, columns: 0 })).toBe(80);
  });

  it('is dumb where nothing but text can be drawn', () => {
    expect([isDumb(terminal(1), {}), isDumb(terminal(1), { TERM: 'dumb' }), isDumb(pipe, {})]).toEqual([
      ...[false, true, true],
    ]);
  });
});
