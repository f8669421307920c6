import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isFolderEntry, listFolder, nameOf } from '../../src/fs/folder-listing.js';
import { temporaryFolder as folder } from '../helpers/surroundings.js';

describe('a listing', () => {
  it('is in the order of the bytes of what lies below, with a slash behind folders', () => {
    const at = folder();
    for (const name of ['b', 'a.txt', 'a-', 'é', '😀', '\uffee', '\\']) writeFileSync(join(at, name), '');
    mkdirSync(join(at, 'a'));
    symlinkSync('a', join(at, 'link'));
    const { entries, badNames } = listFolder(at);
    expect(entries).toEqual(['\\', 'a-', 'a.txt', 'a/', 'b', 'link', 'é', '\uffee', '😀']);
    expect(badNames).toEqual([]);
    expect(entries.filter(isFolderEntry).map(nameOf)).toEqual(['a']);
    expect(nameOf('a.txt')).toBe('a.txt');
  });

  it('holds more names than are read at once', () => {
    const at = folder();
    const names = Array.from({ length: 600 }, (_, n) => String(n).padStart(5, '0'));
    for (const name of names.toReversed()) writeFileSync(join(at, name), '');
    expect(listFolder(at).entries).toEqual(names);
  });

  it('tells a name that is not UTF-8 from one with the character that stands for such', () => {
    const at = folder();
    writeFileSync(join(at, 'with \ufffd'), '');
    expect(listFolder(at).badNames).toEqual([]);
    const bad = [Buffer.from([0x66, 0xff]), Buffer.from([0x66, 0xfe])];
    for (const name of bad) writeFileSync(Buffer.concat([Buffer.from(`${at}/`), name]), '');
    const { entries, badNames } = listFolder(at);
    expect(entries).toEqual(['with \ufffd']);
    expect(badNames.map(({ name }) => name)).toEqual(bad.toReversed());
  });

  it('throws what the system says', () => {
    expect(() => listFolder(join(folder(), 'none'))).toThrow('ENOENT');
  });
});
