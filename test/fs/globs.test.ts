import { describe, expect, it } from 'vitest';
import { parseEntryPath } from '../../src/base/entry-path.js';
import { BkpError } from '../../src/base/errors.js';
import { excludeMatcher } from '../../src/fs/globs.js';

function excludes(globs: string | readonly string[], path: string, isDirectory = false): boolean {
  return excludeMatcher(typeof globs === 'string' ? [globs] : globs)(parseEntryPath(path), isDirectory);
}

describe('excludeMatcher', () => {
  const cases: readonly (readonly [glob: string, path: string, excluded: boolean])[] = [
    ['uploads/cache', 'uploads/cache', true],
    ['uploads/cache', 'uploads/cache/a/b', true],
    ['uploads/cache', 'uploads/cache2', false],
    ['cache', 'uploads/cache', false],
    ['uploads', 'uploads/x', true],
    ['**/*.tmp', 'uploads/a/b.tmp', true],
    ['**/*.tmp', 'uploads/a.tmp/b', true],
    ['*.tmp', 'uploads/b.tmp', false],
    ['uploads/*', 'uploads/.hidden', true],
    ['uploads/**', 'uploads/a/.hidden/b', true],
    ['uploads/**', 'uploads', false],
    ['uploads/{a,b}/*.png', 'uploads/b/x.png', true],
    ['uploads/[a-c]?', 'uploads/b1', true],
    ['uploads/\\[x\\]', 'uploads/[x]', true],
    ['uploads/**/end', 'uploads/new\nline/end', true],
    ['**/nl*', 'uploads/nl\nx', true],
    ['uploads/back\\\\slash', 'uploads/back\\slash', true],
    ['uploads/é*', 'uploads/é🦊', true],
    ['uploads/!(keep)', 'uploads/other', true],
    ['uploads/!(keep)', 'uploads/keep', false],
  ];
  for (const [glob, path, excluded] of cases) {
    it(`${excluded ? 'leaves out' : 'keeps'} ${JSON.stringify(path)} for ${JSON.stringify(glob)}`, () => {
      expect(excludes(glob, path)).toBe(excluded);
    });
  }

  it('leaves out what any of the globs names, and nothing without globs', () => {
    expect(excludes(['a/x', 'b/x'], 'b/x')).toBe(true);
    expect(excludes([], 'b/x')).toBe(false);
  });

  for (const glob of [
    '',
    '/',
    '/abs',
    './uploads',
    'uploads/../x',
    '!uploads/x',
    'uploads/[x',
    'uploads/(x',
    'a/{b',
    'uploads/cache/',
    'a//b',
    'a\0',
  ]) {
    it(`refuses ${JSON.stringify(glob)} instead of leaving out nothing or everything`, () => {
      expect(() => excludeMatcher([glob])).toThrow(BkpError);
      expect(() => excludeMatcher([glob])).toThrow(expect.objectContaining({ id: 'usage' }));
    });
  }
});
