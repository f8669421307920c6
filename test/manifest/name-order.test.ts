import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NameOrder } from '../../src/manifest/name-order.js';

/** How many names, a folder's with `/` behind it, follow one another. */
function following(names: readonly string[]): number {
  const order = new NameOrder();
  const isFolder = (name: string): boolean => name.endsWith('/');
  const stop = names.findIndex((name) => !order.follows(isFolder(name) ? name.slice(0, -1) : name, isFolder(name)));
  return stop === -1 ? names.length : stop;
}

describe('NameOrder', () => {
  it('goes on with what an archive holds', () => {
    const names = [
      'system.brain',
      'user.brain',
      'uploads/',
      'uploads/a',
      'uploads/a-b',
      'uploads/a.d/',
      'uploads/a.d/x',
    ];
    expect(following([...names, 'uploads/aa/', 'uploads/b', 'data/x/y', 'SHA256SUMS', 'manifest.json'])).toBe(12);
  });

  it('goes on in the order of the bytes, not of the characters', () => {
    expect(following(['d/\uffff', 'd/\u{10000}'])).toBe(2);
    expect(following(['d/\u{10000}', 'd/\uffff'])).toBe(1);
  });

  const stops: Readonly<Record<string, readonly string[]>> = {
    'a file that is there twice': ['d/a', 'd/a'],
    'a folder that is there twice': ['d/a/', 'd/a/'],
    'a name that comes later': ['d/b', 'd/a'],
    'a file below a file': ['d/a', 'd/a/x'],
    'a file below a file, behind others that begin like it': ['d/a', 'd/a-', 'd/a-b', 'd/a.c/', 'd/a.c/x', 'd/a/x'],
    'a file far below a file': ['d/a', 'd/a/x/y/z'],
    'a folder that is a file too': ['d/a', 'd/a/'],
    'a file that is a folder too': ['d/a/', 'd/a'],
    'a file behind what lies below it': ['d/a/x', 'd/a'],
    'a source that is a file': ['d', 'd/a'],
    'a source that is left and comes back': ['d/a', 'e/a', 'd/b'],
    'a source that is there twice': ['d', 'e', 'd'],
  };
  for (const [what, names] of Object.entries(stops)) {
    it(`stops at ${what}`, () => {
      expect(following(names)).toBe(names.length - 1);
    });
  }

  it('never goes on with a name that was there, or below one that is no folder', () => {
    const segment = fc.constantFrom('a', 'a!', 'aa', 'b', '\u00e9');
    const name = fc
      .tuple(fc.array(segment, { minLength: 1, maxLength: 4 }), fc.boolean())
      .map(([segments, isFolder]) => `${segments.join('/')}${isFolder ? '/' : ''}`);
    fc.assert(
      fc.property(fc.array(name, { maxLength: 12 }), fc.boolean(), (names, sorted) => {
        const given = sorted ? names.sort() : names;
        const gone = given.slice(0, following(given));
        const plain = gone.map((one) => one.replace(/\/$/, ''));
        expect(new Set(plain).size).toBe(plain.length);
        const files = gone.filter((one) => !one.endsWith('/'));
        for (const one of files) for (const path of plain) expect(path.startsWith(`${one}/`)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  it('goes on with whatever is sorted and no contradiction', () => {
    const segment = fc.constantFrom('a', 'a!', 'aa', 'b', 'b.c');
    const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `d/${segments.join('/')}`);
    fc.assert(
      fc.property(fc.uniqueArray(path, { maxLength: 20 }), (paths) => {
        const leaves = paths.filter((one) => !paths.some((other) => other.startsWith(`${one}/`)));
        const folders = new Set(leaves.map((leaf) => `${leaf.slice(0, leaf.lastIndexOf('/'))}/`));
        const names = [...leaves, ...folders].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(following(names)).toBe(names.length);
      }),
      { numRuns: 1000 },
    );
  });
});
