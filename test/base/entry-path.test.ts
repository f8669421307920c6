import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareBytes,
  entryPathFault,
  parseEntryPath,
  sourceOf,
  type EntryPathFault,
} from '../../src/base/entry-path.js';
import { limits } from '../../src/base/limits.js';

const faults: readonly (readonly [string, string, EntryPathFault])[] = [
  ['nothing', '', 'empty'],
  ['a NUL', 'a\0b', 'nul'],
  ['a NUL in an absolute path', '/a\0', 'nul'],
  ['an absolute path', '/etc/passwd', 'absolute'],
  ['a lone slash', '/', 'absolute'],
  ['two slashes at the beginning', '//server/share', 'absolute'],
  ['a drive', 'C:/x', 'drive'],
  ['a drive without a slash', 'c:x', 'drive'],
  ['a lone drive', 'z:', 'drive'],
  ['a high surrogate alone', 'a\ud800', 'not-utf8'],
  ['a low surrogate alone', 'a\udc00b', 'not-utf8'],
  ['surrogates the wrong way round', '\udc00\ud800', 'not-utf8'],
  ['a parent', '..', 'segment'],
  ['a parent first', '../a', 'segment'],
  ['a parent inside', 'a/../b', 'segment'],
  ['a parent last', 'a/..', 'segment'],
  ['a dot', '.', 'segment'],
  ['a dot first', './a', 'segment'],
  ['a dot inside', 'a/./b', 'segment'],
  ['an empty segment', 'a//b', 'segment'],
  ['a slash at the end', 'a/', 'segment'],
  ['a segment of 256 bytes', 'x'.repeat(256), 'too-long'],
  ['a segment of 256 bytes in 128 characters', 'ü'.repeat(128), 'too-long'],
  ['a segment of 256 bytes in 64 emoji', '💾'.repeat(64), 'too-long'],
  ['a path of 4097 bytes', `${'x'.repeat(200)}/`.repeat(20) + 'x'.repeat(77), 'too-long'],
  ['a path of 257 segments', 'x/'.repeat(256) + 'x', 'too-deep'],
];

describe('entryPathFault', () => {
  for (const [what, path, fault] of faults) {
    it(`refuses ${what} as ${fault}`, () => {
      expect(entryPathFault(path)).toBe(fault);
      expect(() => parseEntryPath(path)).toThrow(RangeError);
    });
  }

  it('takes whatever else a Unix file may be called', () => {
    const names = ['...', '..a', 'a..', '.a', ' ', '-rf', '~', 'CC:', '1:', 'a\\..\\b', '\\', 'new\nline', '\r'];
    const odd = ['"', "'", '💾', 'e\u0301', '\u00e9', '\ufeff', '\uffff', '\u2028', '\u0001\u007f', '__proto__', '*?'];
    for (const name of [...names, ...odd]) {
      expect([name, entryPathFault(name)]).toEqual([name, undefined]);
      expect([name, entryPathFault(`uploads/${name}`)]).toEqual([name, undefined]);
      expect(parseEntryPath(name)).toBe(name);
    }
    expect(entryPathFault('uploads/C:')).toBeUndefined();
  });

  it('takes exactly what the limits allow', () => {
    for (const path of [
      'x'.repeat(limits.maxNameBytes),
      `${'ü'.repeat(127)}x`,
      `a/${'💾'.repeat(63)}xyz`,
      'x/'.repeat(limits.maxDepth - 1) + 'x',
      `${'x'.repeat(200)}/`.repeat(20) + 'x'.repeat(76),
    ]) {
      expect(entryPathFault(path)).toBeUndefined();
    }
  });

  it('never lets a path through that leads out of its folder or has another form when it is joined', () => {
    const segment = fc.constantFrom('..', '.', '', 'a', 'C:', 'b\\', '\0', '...', '\ud800', 'x'.repeat(256));
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 6 }), (segments) => {
        const path = segments.join('/');
        const bad = segments.some((name) => ['..', '.', '', '\0', '\ud800', 'x'.repeat(256)].includes(name));
        expect(entryPathFault(path) === undefined).toBe(!bad && segments[0] !== 'C:');
      }),
    );
  });
});

describe('sourceOf', () => {
  it('is the first segment, which may be all', () => {
    expect(sourceOf(parseEntryPath('uploads/a/b'))).toBe('uploads');
    expect(sourceOf(parseEntryPath('system.brain'))).toBe('system.brain');
  });
});

describe('compareBytes', () => {
  const name = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc
      .array(fc.constantFrom('a', 'B', '\u00e9', '\ud7ff', '\ue000', '\uffff', '💾', '\u{10ffff}', '/', ' '), {
        maxLength: 5,
      })
      .map((parts) => parts.join('')),
  );

  it('orders as `sort` does with LC_ALL=C', () => {
    const line = name.filter((text) => text !== '' && !/[\n\0]/.test(text));
    fc.assert(
      fc.property(fc.array(line, { minLength: 2, maxLength: 200 }), (lines) => {
        const input = lines.map((text) => `${text}\n`).join('');
        const sorted = execFileSync('sort', { input, env: { ...process.env, LC_ALL: 'C' } }).toString();
        expect(
          [...lines]
            .sort(compareBytes)
            .map((text) => `${text}\n`)
            .join(''),
        ).toBe(sorted);
      }),
      { numRuns: 30 },
    );
  });

  it('agrees with the bytes for any two texts, both ways round', () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(Math.sign(compareBytes(b, a))).toBe(Buffer.compare(Buffer.from(b), Buffer.from(a)));
      }),
      { numRuns: 2000 },
    );
  });
});
