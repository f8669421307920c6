import { describe, expect, it } from 'vitest';
import { parseEntryPath } from '../../src/base/entry-path.js';
import { entryLine, entryTexts, modeText } from '../../src/ui/entries-view.js';

const entry = {
  path: parseEntryPath('uploads/a\x1b[2Jb'),
  kind: 'link',
  size: 0,
  mode: 0o777,
  mtime: 2n ** 70n,
  uid: 4_000_000_000,
  gid: 0,
  target: '../\x07',
} as const;

describe('the content of a backup', () => {
  it.each([
    ['file', 0o644, '-rw-r--r--'],
    ['directory', 0o1777, 'drwxrwxrwt'],
    ['file', 0o6755, '-rwsr-sr-x'],
    ['file', 0o7000, '---S--S--T'],
    ['link', 0o777, 'lrwxrwxrwx'],
    ['file', 0, '----------'],
  ] as const)('has modes as ls -l writes them: %s %o', (kind, mode, text) => {
    expect(modeText(kind, mode)).toBe(text);
  });

  it('shows hostile names and targets escaped, and times that cannot be written as unknown', () => {
    expect([...entryTexts([entry])]).toEqual(['lrwxrwxrwx 4000000000 0 0 ? uploads/a\\x1b[2Jb -> ../\\x07']);
    expect(entryLine(entry)).toEqual({
      ...{ type: 'entry', path: 'uploads/a\x1b[2Jb', kind: 'link', bytes: 0, mode: '0777', time: null },
      ...{ uid: 4_000_000_000, gid: 0, target: '../\x07' },
    });
  });
});
