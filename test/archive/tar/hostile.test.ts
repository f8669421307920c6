import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { CompressPool } from '../../../src/compress/pool.js';
import { limits } from '../../../src/base/limits.js';
import { readAll } from './archives.js';
import { endOfArchive, paxHeader, rawEntry, rawHeader, record, tarGz } from './raw-tar.js';

const pool = new CompressPool(1);
afterAll(() => pool.close());

const good = rawEntry({ name: 'uploads/good' }, 'good');
const pax = (data: string | Buffer): Buffer => rawEntry({ name: 'PaxHeader', type: 'x' }, data);

describe('a hostile tar', () => {
  const unsafe: Readonly<Record<string, Buffer>> = {
    'a parent': rawEntry({ name: '../x' }),
    'a parent inside': rawEntry({ name: 'uploads/../../x' }),
    'a parent as a folder': rawEntry({ name: 'uploads/../', type: '5' }),
    'an absolute name': rawEntry({ name: '/etc/passwd' }),
    'an absolute prefix': rawEntry({ name: 'passwd', prefix: '/etc' }),
    'an empty segment': rawEntry({ name: 'uploads//x' }),
    'two slashes behind a folder': rawEntry({ name: 'uploads//', type: '5' }),
    'a dot': rawEntry({ name: 'uploads/./x' }),
    'a lone slash': rawEntry({ name: '/', type: '5' }),
    'no name': rawEntry({ name: '' }),
    'a slash behind a link': rawEntry({ name: 'uploads/l/', type: '2', linkname: 'x' }),
    'a name that is not UTF-8': rawEntry({ name: Buffer.from([0x61, 0xff, 0x62]) }),
    'a recorded name that is not UTF-8': Buffer.concat([paxHeader(record('path', Buffer.from([0x61, 0xff]))), good]),
    'a recorded NUL': Buffer.concat([paxHeader(record('path', 'uploads/a\0b')), good]),
    'a recorded parent': Buffer.concat([paxHeader(record('path', '../x')), good]),
    'a recorded name that is too long': Buffer.concat([paxHeader(record('path', 'x/'.repeat(3000) + 'x')), good]),
    'a long GNU parent': Buffer.concat([rawEntry({ name: '././@LongLink', type: 'L' }, '../x\0'), good]),
    'a long GNU name with a NUL inside': Buffer.concat([
      rawEntry({ name: '././@LongLink', type: 'L' }, 'a\0b\0'),
      good,
    ]),
    'a name for all': Buffer.concat([rawEntry({ name: 'g', type: 'g' }, record('path', '../x')), good]),
    'a segment of 256 bytes': Buffer.concat([paxHeader(record('path', 'x'.repeat(256))), good]),
    'a path of 257 segments': Buffer.concat([paxHeader(record('path', 'x/'.repeat(256) + 'x')), good]),
    'a link without a target': rawEntry({ name: 'l', type: '2' }),
    'a link to a NUL': Buffer.concat([paxHeader(record('linkpath', 'a\0b')), rawEntry({ name: 'l', type: '2' })]),
    'a link to no text': Buffer.concat([paxHeader(record('linkpath', Buffer.from([0xfe]))), rawEntry({ type: '2' })]),
    'a link to far too much': Buffer.concat([paxHeader(record('linkpath', 'x'.repeat(4097))), rawEntry({ type: '2' })]),
  };
  for (const [what, entry] of Object.entries(unsafe)) {
    it(`is refused for ${what}, and what was before it is told`, async () => {
      const read = await readAll(pool, tarGz(good, entry));
      expect(read.thrown?.id).toBe('entry-path-unsafe');
      expect(read.thrown?.path).toBeDefined();
      expect(read.samples.map(({ header }) => header.path)).toEqual(['uploads/good']);
    });
  }

  const forbidden: Readonly<Record<string, Buffer>> = {
    'a hard link': rawEntry({ type: '1', linkname: 'uploads/good' }),
    'a character device': rawEntry({ type: '3' }),
    'a block device': rawEntry({ type: '4' }),
    'a fifo': rawEntry({ type: '6' }),
    'a volume label': rawEntry({ type: 'V' }),
    'a dump of a folder': rawEntry({ type: 'D' }, 'Yfile\0'),
    'an unknown type': rawEntry({ type: '?' }, 'content'),
    'a sparse file by records': Buffer.concat([
      paxHeader(record('GNU.sparse.major', '1'), record('GNU.sparse.realsize', '9')),
      rawEntry({}, 'content'),
    ]),
  };
  for (const [what, entry] of Object.entries(forbidden)) {
    it(`shows ${what} as damage and goes on`, async () => {
      const read = await readAll(pool, tarGz(entry, good));
      expect(read.thrown).toBeUndefined();
      expect(read.damaged).toMatchObject([{ id: 'entry-type-forbidden', path: 'uploads/a' }]);
      expect(read.samples.map(({ header }) => header.path)).toEqual(['uploads/good']);
    });
  }

  it('is refused where it cannot be told where the content of a forbidden type ends', async () => {
    for (const type of ['1', '3', '4', '6', 'S']) {
      const read = await readAll(pool, tarGz(rawEntry({ type }, 'content'), good));
      expect(read.thrown?.id).toBe('entry-type-forbidden');
    }
  });

  const malformed: Readonly<Record<string, Buffer>> = {
    'a record of negative length': pax('-5 path=x\n'),
    'a record of length zero': pax('0 path=x\n'),
    'a record that is longer than its header': pax('99 path=x\n'),
    'a record that is shorter than itself': pax('5 path=x\n'),
    'a record with a leading zero': pax('010 path=x\n'),
    'a record with a sign': pax('+9 path=x\n'),
    'a record whose length is no number': pax('9x path=x\n'),
    'a record without a length': pax(' path=x\n'),
    'a length without an end': pax('99999999999999999999'),
    'a record without a key': pax('5 =x\n'),
    'a record without a value': pax('7 path\n'),
    'a record without its newline': pax('9 path=xy'),
    'zeros behind the records': pax(Buffer.concat([record('path', 'x'), Buffer.alloc(3)])),
    'a name told twice': pax(Buffer.concat([record('path', 'x'), record('path', 'y')])),
    'an empty name': pax(record('path', '')),
    'a negative size': pax(record('size', '-1')),
    'a fractional size': pax(record('size', '1.5')),
    'a huge size': pax(record('size', '9007199254740992')),
    'a size without digits': pax(record('size', '')),
    'an owner that is no number': pax(record('uid', 'root')),
    'a time that is none': pax(record('mtime', '12:00')),
    'a time in the far future': pax(record('mtime', '99999999999999')),
    'a time with too many digits': pax(record('mtime', `1.${'0'.repeat(200)}`)),
    'two extended headers for one entry': Buffer.concat([paxHeader(record('uid', '1')), paxHeader(record('uid', '1'))]),
    'an extended header that is too large': rawHeader({ type: 'x', size: limits.maxPaxBytes + 1 }),
    'a long name that is too large': rawHeader({ type: 'L', size: 2 ** 33 - 1 }),
    'a wrong checksum': Buffer.concat([rawHeader({}).fill(0x41, 0, 1)]),
    'a size that is no octal number': rawHeader({ size: '0000000008\0 ' }),
    'digits behind a field': rawHeader({ size: '00000 00001\0' }),
    'a negative base-256 owner': rawHeader({ uid: Buffer.alloc(8, 0xff) }),
    'a time beyond counting': rawHeader({ mtime: Buffer.from('80ffffffffffffffffffffff', 'hex') }),
    'a folder with content': rawEntry({ type: '5', name: 'd/' }, 'content'),
    'an old folder with content': rawEntry({ name: 'd/' }, 'content'),
    'a link with content': rawEntry({ type: '2', linkname: 'x' }, 'content'),
  };
  for (const [what, entry] of Object.entries(malformed)) {
    it(`is refused for ${what}`, async () => {
      const read = await readAll(pool, tarGz(entry, good));
      expect(read.thrown?.id).toBe('structure-invalid');
      expect(read.samples).toEqual([]);
    });
  }

  it('is refused for a header that announces nothing', async () => {
    expect((await readAll(pool, tarGz(paxHeader(record('uid', '1'))))).thrown?.id).toBe('structure-invalid');
  });

  it('is refused without its end, with half of it, and inside a file', async () => {
    for (const tar of [
      good,
      Buffer.concat([good, Buffer.alloc(512)]),
      good.subarray(0, 700),
      rawHeader({ size: 2 ** 40 }),
    ]) {
      expect((await readAll(pool, gzipSync(tar))).thrown?.id).toBe('truncated');
    }
    const claimed = Buffer.concat([paxHeader(record('size', String(2 ** 50))), rawHeader({})]);
    expect((await readAll(pool, tarGz(claimed))).thrown?.id).toBe('truncated');
  });

  it('is odd for data behind its end, though its entries can be read', async () => {
    for (const behind of [good, Buffer.from('x'), Buffer.concat([Buffer.alloc(9000), Buffer.from('x')])]) {
      const read = await readAll(pool, gzipSync(Buffer.concat([good, endOfArchive, behind])));
      expect(read.thrown).toBeUndefined();
      expect(read.samples).toHaveLength(1);
      expect(read.oddities.map(({ id }) => id)).toEqual(['data-after-end']);
    }
    const lone = await readAll(pool, gzipSync(Buffer.concat([good, Buffer.alloc(512), good, endOfArchive])));
    expect(lone.samples).toHaveLength(1);
    expect(lone.oddities.map(({ id }) => id)).toEqual(['data-after-end']);
    const zeros = await readAll(pool, gzipSync(Buffer.concat([good, endOfArchive, Buffer.alloc(9217)])));
    expect(zeros).toMatchObject({ thrown: undefined, oddities: [] });
  });

  it('cannot reach a prototype through its records', async () => {
    const records = [record('__proto__', 'x'), record('constructor', 'y'), record('toString', 'z')];
    const read = await readAll(pool, tarGz(paxHeader(...records), good));
    expect(read.thrown).toBeUndefined();
    expect(read.samples[0]?.header).toMatchObject({ path: 'uploads/good', size: 4 });
  });

  it('is no gzip file at all', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from([0x1f]), Buffer.from('PK\x03\x04')]) {
      expect((await readAll(pool, bytes)).thrown?.id).toBe('structure-invalid');
    }
    expect((await readAll(pool, Buffer.from([0x1f, 0x8b]))).thrown?.id).toBe('truncated');
    expect((await readAll(pool, gzipSync(''))).thrown?.id).toBe('truncated');
    expect((await readAll(pool, gzipSync('some text'))).thrown?.id).toBe('truncated');
    expect((await readAll(pool, gzipSync('some text'.repeat(200)))).thrown?.id).toBe('structure-invalid');
  });
});
