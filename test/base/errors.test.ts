import { describe, expect, it } from 'vitest';
import { ArchiveDamage } from '../../src/base/damage.js';
import { errorTable, type ErrorId } from '../../src/base/error-table.js';
import { BkpError, errorText, ioError, never, systemCode } from '../../src/base/errors.js';
import { exitCodes, exitMeanings } from '../../src/base/exit-codes.js';

const system = (code: unknown, message = 'it failed'): Error => Object.assign(new Error(message), { code });

describe('BkpError', () => {
  it('ends with the exit code of its id', () => {
    expect(new BkpError('lock-held', 'x').exitCode).toBe(11);
    expect(new BkpError('archive-damaged', 'x').exitCode).toBe(14);
    expect(new BkpError('interrupted', 'x').exitCode).toBe(130);
  });

  it('has a failing exit code for every id', () => {
    for (const id of Object.keys(errorTable) as ErrorId[]) expect(new BkpError(id, 'x').exitCode).toBeGreaterThan(0);
  });

  it('keeps hint, path and cause, and has no cause where none is known', () => {
    const cause = new Error('cause');
    expect(new BkpError('usage', 'x', { cause, hint: 'h', path: '/p' })).toMatchObject({
      cause,
      hint: 'h',
      path: '/p',
    });
    expect('cause' in new BkpError('usage', 'x')).toBe(false);
  });
});

describe('exitCodes', () => {
  it('gives every outcome a code of its own and a meaning', () => {
    const codes = Object.values(exitCodes);
    expect(new Set(codes).size).toBe(codes.length);
    expect(Object.keys(exitMeanings).sort()).toEqual(Object.keys(exitCodes).sort());
  });
});

describe('ioError', () => {
  it('says what was done to which file, and why that failed', () => {
    const cause = system('EACCES', 'EACCES: permission denied');
    const error = ioError('reading', '/a/b', cause);
    expect(error).toMatchObject({ id: 'io-failed', path: '/a/b', cause });
    expect(error.message).toBe('failed while reading /a/b: EACCES: permission denied');
  });

  it('takes the id that the caller knows better', () => {
    expect(ioError('writing', '/a', system('EROFS'), 'storage-unwritable').id).toBe('storage-unwritable');
  });

  it('knows every way of having no space, with its own exit code, whatever the caller expected', () => {
    for (const code of ['ENOSPC', 'EDQUOT', 'SQLITE_FULL']) {
      const error = ioError('writing', '/a/b', system(code), 'storage-unwritable');
      expect(error).toMatchObject({ id: 'no-space', exitCode: 13, path: '/a/b' });
      expect(error.message).toContain('/a/b');
      expect(error.hint).toBeDefined();
    }
  });

  it('tells what is left where a disk is full, and of a quota that it is one', () => {
    const full = ioError('writing', '/', system('ENOSPC'));
    expect(full.message).toMatch(/^no space left while writing \/: [\d.]+ \w+ free there$/);
    expect(ioError('writing', '/', system('EDQUOT')).message).toMatch(/: the quota of this user is used up$/);
    expect(ioError('writing', 'standard output', system('ENOSPC')).message).toMatch(/standard output$/);
  });

  it('leaves an expected failure as it is', () => {
    const inner = new BkpError('interrupted', 'stopped');
    expect(ioError('writing', '/a', inner)).toBe(inner);
  });

  it('takes whatever was thrown', () => {
    expect(ioError('writing', '/a', 'text').message).toBe('failed while writing /a: text');
    expect(ioError('writing', '/a', undefined).message).toBe('failed while writing /a: undefined');
  });
});

describe('systemCode', () => {
  it('is the code of an error, if that is a text', () => {
    expect(systemCode(system('ENOENT'))).toBe('ENOENT');
    expect(systemCode(system(5))).toBeUndefined();
    expect(systemCode(new Error('x'))).toBeUndefined();
    expect(systemCode({ code: 'ENOENT' })).toBeUndefined();
  });
});

describe('never', () => {
  it('throws where a union was not exhausted after all', () => {
    expect(() => never('surprise' as never)).toThrow(/unhandled: "surprise"/);
  });
});

describe('ArchiveDamage', () => {
  it('carries its id, and its path only where it is about an entry', () => {
    expect(new ArchiveDamage('truncated', 'x', 'a')).toMatchObject({ id: 'truncated', message: 'x', path: 'a' });
    expect(new ArchiveDamage('truncated', 'x').path).toBeUndefined();
    expect(errorText(new ArchiveDamage('truncated', 'x'))).toBe('x');
  });
});
