import { deflateRawSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { UnsupportedEncryption } from '../../../src/archive/archive.js';
import type { DamageId } from '../../../src/base/damage.js';
import { blockSize } from '../../../src/base/limits.js';
import { CompressPool } from '../../../src/compress/pool.js';
import {
  aesEntry,
  aesExtra,
  testPassphrase as passphrase,
  type AesOptions,
  type AesParts,
} from '../../helpers/aes-entry.js';
import { buildZip, extra, type RawEntry } from '../../helpers/zip-builder.js';
import { noise } from '../tar/archives.js';
import { damageOf, openBytes, passphraseOf, readZip } from './archives.js';

const pool = new CompressPool(2);
afterAll(() => pool.close());

const small = 'content '.repeat(100);
const good = aesEntry('good', small);
const built = (...entries: readonly RawEntry[]): Buffer => buildZip([good, ...entries, aesEntry('end', 'the end')]);
const idsOf = (archive: Buffer, repacked = false): Promise<readonly DamageId[]> =>
  damageOf(pool, archive, { passphrase, dropDotSlash: repacked });
const unlocks = async (archive: Buffer, given = passphrase): Promise<boolean> =>
  (await openBytes(pool, archive)).unlock(passphraseOf(given));

/** Compressible, and not. */
const large = Buffer.concat([Buffer.from(small.repeat(800)), noise(blockSize + 99)]);

describe('an entry that another tool encrypted comes back', () => {
  for (const version of [1, 2]) {
    for (const strength of [1, 2, 3] as const) {
      it.each([0, 8] as const)(`AE-${version}, strength ${strength}, method %s`, async (method) => {
        const options: AesOptions = { version, strength, method };
        const archive = built(
          aesEntry('a', small, options),
          aesEntry('b', small, { ...options, descriptor: true }),
          aesEntry('empty', '', options),
          aesEntry('large', large, options),
          aesEntry('d/', '', options),
        );
        const { samples, ...rest } = await readZip(pool, archive, { passphrase });
        expect(rest).toMatchObject({ damaged: [], thrown: undefined, oddities: [] });
        const found = new Map<string, Buffer>(samples.map(({ header, bytes }) => [header.path, bytes]));
        expect([found.get('a')?.toString(), found.get('b')?.toString(), found.get('empty')?.length]).toEqual([
          small,
          small,
          0,
        ]);
        expect(found.get('large')?.equals(large)).toBe(true);
        expect(found.has('d')).toBe(true);
      });
    }
  }

  it('with a CRC where AE-2 has none: the HMAC stands for it', async () => {
    expect(await idsOf(built(aesEntry('a', small, { crc: 5 }), aesEntry('large', large, { crc: 5 })))).toEqual([]);
  });

  it('where nothing is encrypted that has nothing in it', async () => {
    expect(await idsOf(built({ name: 'd/' }, { name: 'empty' }, { name: 'deflated', method: 8 }))).toEqual([]);
    expect(await idsOf(built({ name: 'd/', flags: 0x0801 }, { name: 'empty', flags: 0x0801 }))).toEqual([]);
  });

  it('with the passphrase it was encrypted with, and no other', async () => {
    const archive = built(aesEntry('other', small, { passphrase: 'another one' }));
    const { damaged } = await readZip(pool, archive, { passphrase });
    expect(damaged).toMatchObject([{ id: 'authentication-failed', path: 'other' }]);
  });
});

describe('an encrypted entry is damaged', () => {
  const flip = (bytes: Buffer, at: number): Buffer => {
    const altered = Buffer.from(bytes);
    altered[at] = altered[at]! ^ 4;
    return altered;
  };
  const alterations: Readonly<Record<string, (parts: AesParts) => Partial<AesParts>>> = {
    salt: ({ salt }) => ({ salt: flip(salt, 3) }),
    verifier: ({ verifier }) => ({ verifier: flip(verifier, 1) }),
    'first encrypted byte': ({ encrypted }) => ({ encrypted: flip(encrypted, 0) }),
    'last encrypted byte': ({ encrypted }) => ({ encrypted: flip(encrypted, encrypted.length - 1) }),
    HMAC: ({ mac }) => ({ mac: flip(mac, 9) }),
  };
  for (const [what, alter] of Object.entries(alterations)) {
    it(`by an altered ${what}, small or large, and its neighbours are not`, async () => {
      const archive = built(
        aesEntry('a', small, { alter }),
        aesEntry('stored', large, { alter, method: 0 }),
        aesEntry('c', small),
      );
      expect(await readZip(pool, archive, { passphrase })).toMatchObject({
        damaged: [
          { id: 'authentication-failed', path: 'a' },
          { id: 'authentication-failed', path: 'stored' },
        ],
        samples: [{ header: { path: 'good' } }, { header: { path: 'c' } }, { header: { path: 'end' } }],
        thrown: undefined,
      });
    });
  }

  const faults: Readonly<Record<string, readonly [RawEntry, DamageId]>> = {
    'a wrong CRC in AE-1': [aesEntry('a', small, { version: 1, crc: 5 }), 'crc-mismatch'],
    'a wrong CRC in AE-1, large': [aesEntry('a', large, { version: 1, crc: 5 }), 'crc-mismatch'],
    'less content than declared': [shorter(small), 'size-mismatch'],
    'less content than declared, large': [shorter(large), 'size-mismatch'],
    'stored content of another length': [{ ...shorter(small), ...lengthened }, 'size-mismatch'],
    'no room for salt and HMAC': [{ ...aesEntry('a', ''), data: Buffer.alloc(27) }, 'size-mismatch'],
    'a method inside that nobody knows': [
      { ...aesEntry('a', small), extra: aesExtra(2, 3, 14) },
      'content-undecodable',
    ],
    'a version that nobody knows': [{ ...aesEntry('a', small), extra: aesExtra(3, 3, 8) }, 'content-undecodable'],
    'a strength that nobody knows': [{ ...aesEntry('a', small), extra: aesExtra(2, 4, 8) }, 'content-undecodable'],
    'no field that says how': [{ ...aesEntry('a', small), extra: Buffer.alloc(0) }, 'content-undecodable'],
    'a field of another vendor': [
      { ...aesEntry('a', small), extra: extra(0x9901, Buffer.from([2, 0, 0x41, 0x46, 3, 8, 0])) },
      'content-undecodable',
    ],
    'a field that is cut short': [
      { ...aesEntry('a', small), extra: extra(0x9901, Buffer.from([2, 0, 0x41, 0x45, 3, 8])) },
      'content-undecodable',
    ],
    'traditional encryption': [{ name: 'a', content: small, flags: 0x0801 }, 'content-undecodable'],
    'a folder with content': [aesEntry('a/', small), 'size-mismatch'],
  };
  for (const [what, [entry, id]] of Object.entries(faults)) {
    it(`by ${what}`, async () => expect(await idsOf(built(entry))).toEqual([id]));
  }

  const contradictions: Readonly<Record<string, Partial<RawEntry>>> = {
    version: { local: { extra: aesExtra(1, 3, 8) } },
    strength: { local: { extra: aesExtra(2, 2, 8) } },
    'method inside': { local: { extra: aesExtra(2, 3, 0) } },
    'field in one record only': { local: { extra: Buffer.alloc(0) } },
    'flag in one record only': { central: { flags: 0x0800 } },
    'flag in the other record only': { local: { flags: 0x0800 } },
    method: { central: { method: 8 } },
  };
  for (const [what, fields] of Object.entries(contradictions)) {
    it(`by records that contradict each other in the ${what}`, async () =>
      expect(await idsOf(built({ ...aesEntry('a', small), ...fields }))).toEqual(['central-local-mismatch']));
  }
});

/** Declares one byte more than there is. */
function shorter(content: string | Buffer): RawEntry {
  const whole = aesEntry('a', content);
  const size = content.length + 1;
  return { ...whole, local: { ...whole.local, size }, central: { ...whole.central, size } };
}

const lengthened = { extra: aesExtra(2, 3, 0) };

describe('an entry in clear beside encrypted ones', () => {
  const link = { name: 'l', content: 'good', mode: 0o120777 };

  it('is damaged where it has content, whatever its content is', async () => {
    for (const entry of [
      { name: 'a', content: small },
      { name: 'a', content: small, method: 8 },
      { name: 'a', content: large },
      link,
    ])
      expect(await idsOf(built(entry))).toEqual(['entry-in-clear']);
    expect(await idsOf(built({ name: 'a', content: small }), true)).toEqual(['entry-in-clear']);
  });

  it('may be a link where another tool remade the archive', async () => {
    expect(await idsOf(built(link), true)).toEqual([]);
  });

  it('is not believed where it is the manifest', async () => {
    const archive = buildZip([good, { name: 'SHA256SUMS', content: 'x' }, { name: 'manifest.json', content: '{}' }]);
    const reader = await openBytes(pool, archive);
    expect(await reader.encryption()).toBe('aes');
    expect(await reader.unlock(passphraseOf(passphrase))).toBe(true);
    await expect(reader.readTail()).rejects.toMatchObject({ id: 'entry-in-clear' });
  });
});

describe('encryption that is not AES', () => {
  const encryption = async (archive: Buffer): Promise<string> => (await openBytes(pool, archive)).encryption();

  it('is told where the manifest has it and nothing is AES', async () => {
    const traditional = { name: 'manifest.json', content: '{}', flags: 0x0801 };
    expect(await encryption(buildZip([traditional]))).toBe('unsupported');
    expect(await encryption(buildZip([{ ...aesEntry('manifest.json', '{}'), extra: aesExtra(3, 3, 8) }]))).toBe(
      'unsupported',
    );
    expect(await encryption(buildZip([good, traditional]))).toBe('aes');
    expect(await encryption(buildZip([{ name: 'manifest.json', content: '{}' }]))).toBe('none');
  });

  it('is told where it is strong encryption, and only where its field is there too', async () => {
    const strong = { name: 'a', content: small, flags: 0x0841, extra: extra(0x0017, Buffer.alloc(8)) };
    await expect(encryption(buildZip([strong]))).rejects.toBeInstanceOf(UnsupportedEncryption);
    const flagOnly = { name: 'a', content: small, flags: 0x0841 };
    await expect(encryption(buildZip([flagOnly]))).rejects.toMatchObject({ id: 'structure-invalid' });
  });
});

describe('the passphrase', () => {
  const many = Array.from({ length: 20 }, (_, index) => aesEntry(`n${index}`, small));
  const broken = (name: string, alter: (parts: AesParts) => Partial<AesParts>): RawEntry =>
    aesEntry(name, small, { alter });
  const otherVerifier = (): Partial<AesParts> => ({ verifier: Buffer.from([1, 2]) });
  const otherMac = (): Partial<AesParts> => ({ mac: Buffer.alloc(10) });

  it('is right or wrong', async () => {
    expect([await unlocks(buildZip(many)), await unlocks(buildZip(many), 'wrong')]).toEqual([true, false]);
    expect([await unlocks(buildZip([good])), await unlocks(buildZip([good]), '')]).toEqual([true, false]);
    expect(
      await unlocks(buildZip(many.map((entry) => ({ ...entry, name: `x/${String(entry.name)}` }))), `${passphrase} `),
    ).toBe(false);
  });

  it('is right where an entry is damaged and others agree', async () => {
    expect(await unlocks(buildZip([broken('manifest.json', otherVerifier), ...many]))).toBe(true);
    expect(await unlocks(buildZip([broken('manifest.json', otherMac), ...many]))).toBe(true);
    expect(await unlocks(buildZip([broken('a', otherVerifier), broken('b', otherVerifier), good]))).toBe(true);
  });

  it('is not judged where no entry can be asked: that is damage', async () => {
    const nowhere = (name: string): RawEntry => ({ ...aesEntry(name, small), central: { offset: 7 } });
    await expect(unlocks(buildZip([nowhere('a'), nowhere('b')]))).rejects.toMatchObject({ id: 'structure-invalid' });
    expect(await unlocks(buildZip([nowhere('a'), good]))).toBe(true);
    expect(await unlocks(buildZip([nowhere('a'), good]), 'wrong')).toBe(false);
  });

  it('is right where no HMAC agrees but the verifiers do: that is damage', async () => {
    expect(await unlocks(buildZip([broken('a', otherMac), broken('b', otherMac)]))).toBe(true);
    expect(await unlocks(buildZip([broken('a', otherMac)]))).toBe(true);
  });

  // Found by trying: its verifier for this salt is that of the right passphrase, as for one salt in 65,536.
  const colliding = 'wrong passphrase 21768';
  const salt = Buffer.alloc(16, 'collides');

  it('is wrong where it fits one verifier by chance, and nothing else', async () => {
    const manifest = aesEntry('manifest.json', small, { salt });
    expect(await unlocks(buildZip([...many, manifest]))).toBe(true);
    expect(await unlocks(buildZip([...many, manifest]), colliding)).toBe(false);
    // There is nothing else to ask here; it opens nothing all the same.
    const alone = buildZip([manifest]);
    expect(await unlocks(alone, colliding)).toBe(true);
    expect(await readZip(pool, alone, { passphrase: colliding })).toMatchObject({
      damaged: [{ id: 'authentication-failed' }],
      samples: [],
    });
  });
});

it('reads a deflate stream that no block index cuts, and refuses one that is not whole', async () => {
  const stream = deflateRawSync(large);
  const cut = aesEntry('a', large, { method: 8 });
  expect(stream.length).toBeGreaterThan(blockSize);
  expect(await idsOf(built(cut))).toEqual([]);
  const more = aesEntry('a', Buffer.concat([stream, Buffer.from('more')]), { method: 0 });
  const fields = { size: large.length };
  const told = {
    ...more,
    extra: aesExtra(2, 3, 8),
    local: { ...more.local, ...fields },
    central: { ...more.central, ...fields },
  };
  expect(await idsOf(built(told))).toEqual(['content-undecodable']);
});
