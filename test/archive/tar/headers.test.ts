import { describe, expect, it } from 'vitest';
import { parseHeader } from '../../../src/archive/tar/headers.js';
import { packHeader } from '../../../src/archive/tar/pack-header.js';
import { file, folder, link } from './archives.js';
import { rawHeader, withChecksum } from './raw-tar.js';

describe('parseHeader', () => {
  it('reads a ustar header with its prefix', () => {
    const header = parseHeader(
      rawHeader({ name: 'b', prefix: 'uploads/a', mode: '0104755\0', uid: '0001750\0', size: 513 }),
    );
    expect(header).toMatchObject({ type: '0', size: 513, mode: 0o4755, uid: 1000, gid: 0 });
    expect(header.path.toString()).toBe('uploads/a/b');
    expect(header.mtime).toBe(BigInt(0o14524000000) * 1_000_000_000n);
  });

  it('takes nothing for a prefix in GNU and older headers', () => {
    expect(parseHeader(rawHeader({ name: 'b', prefix: '14524000000', magic: 'ustar  \0' })).path.toString()).toBe('b');
    expect(parseHeader(rawHeader({ name: 'b', prefix: 'x', magic: '\0\0\0\0\0\0\0\0' })).path.toString()).toBe('b');
  });

  it('reads names that fill their fields', () => {
    const header = parseHeader(rawHeader({ name: 'n'.repeat(100), linkname: 'l'.repeat(100), type: '2' }));
    expect(header.path.toString()).toBe('n'.repeat(100));
    expect(header.linkpath.toString()).toBe('l'.repeat(100));
  });

  it('reads numbers with spaces around, without an end, empty and in base 256', () => {
    expect(parseHeader(rawHeader({ size: '       1750 ' })).size).toBe(1000);
    expect(parseHeader(rawHeader({ size: '777777777777' })).size).toBe(8 ** 12 - 1);
    expect(parseHeader(rawHeader({ size: '\0'.repeat(12) })).size).toBe(0);
    const block = rawHeader({});
    Buffer.from('800000000000000200000000', 'hex').copy(block, 124);
    Buffer.from('ffffffffffffffffffffffff', 'hex').copy(block, 136);
    const header = parseHeader(withChecksum(block));
    expect(header.size).toBe(2 ** 33);
    expect(header.mtime).toBe(-1_000_000_000n);
  });

  it('refuses any byte that is not the one the checksum is of', () => {
    const block = rawHeader({ name: 'x', size: 5 });
    for (let at = 0; at < 512; at++) {
      const changed = Buffer.from(block);
      changed[at]! ^= 1;
      // Behind its NUL the checksum's field holds a space or a NUL: nothing of the number.
      if (at === 154 || at === 155) continue;
      expect(() => parseHeader(changed)).toThrow();
    }
  });
});

describe('packHeader', () => {
  it('needs no records for what a ustar header holds', () => {
    expect(packHeader(file('a', 'x', { uid: 262_143, gid: 262_143 }).header).pax).toBeUndefined();
    expect(packHeader(folder('d').header).pax).toBeUndefined();
    expect(packHeader(link('l', 'x'.repeat(100)).header).pax).toBeUndefined();
  });

  it('adds records for what a ustar header does not hold', () => {
    const { header } = file('a', 'x');
    expect(packHeader({ ...header, uid: 262_144, gid: 4_294_967_294 }).pax).toEqual({
      uid: '262144',
      gid: '4294967294',
    });
    expect(packHeader({ ...header, size: 8 * 1024 ** 3 }).pax).toEqual({ size: '8589934592' });
    expect(packHeader({ ...header, size: 8 * 1024 ** 3 - 1 }).pax).toBeUndefined();
    expect(packHeader({ ...header, mtime: 2n ** 31n * 1_000_000_000n }).pax).toEqual({ mtime: '2147483648' });
    expect(packHeader({ ...header, mtime: -1n }).pax).toEqual({ mtime: '-0.000000001' });
    expect(packHeader({ ...header, mtime: 1n }).pax).toEqual({ mtime: '0.000000001' });
    expect(packHeader(file('x'.repeat(101), 'x').header).pax).toEqual({});
    expect(packHeader(folder('x'.repeat(100)).header).pax).toEqual({});
    expect(packHeader(link('l', 'ü').header).pax).toEqual({});
  });
});
