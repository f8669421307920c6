import { describe, expect, it } from 'vitest';
import { KeyTable } from '../../src/base/key-table.js';

describe('KeyTable', () => {
  it('keeps a value for each of many names', () => {
    const table = new KeyTable(4);
    const names = Array.from({ length: 30_000 }, (_, index) => `uploads/${index}`);
    for (const [index, name] of names.entries()) table.room(name).writeUInt32LE(index);
    for (const [index, name] of names.entries()) {
      expect(table.find(name)?.readUInt32LE(0)).toBe(index);
      expect(table.room(name).readUInt32LE(0)).toBe(index);
    }
    for (const other of ['', 'uploads', 'uploads/', 'uploads/30000', 'uploads/00'])
      expect(table.find(other)).toBeUndefined();
  });

  it('begins with zeros, and takes a new value in place of the old one', () => {
    const table = new KeyTable(1);
    expect([...table.room('a')]).toEqual([0]);
    table.room('a')[0] = 1;
    table.room('a')[0] = 2;
    expect([...(table.find('a') ?? [])]).toEqual([2]);
  });

  it('tells names apart by their bytes', () => {
    const table = new KeyTable(1);
    table.room('\u00e9')[0] = 1;
    expect(table.find('e\u0301')).toBeUndefined();
    expect(table.find('\u00c9')).toBeUndefined();
  });
});
