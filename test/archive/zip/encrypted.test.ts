import { afterAll, describe, expect, it } from 'vitest';
import { KeptKeys } from '../../../src/archive/kept-keys.js';
import { createZipWriter } from '../../../src/archive/zip/writer.js';
import { blockSize } from '../../../src/base/limits.js';
import type { Compressor } from '../../../src/compress/compressor.js';
import type { JobMap } from '../../../src/compress/jobs.js';
import { CompressPool } from '../../../src/compress/pool.js';
import { keyMaterial, testPassphrase as passphrase } from '../../helpers/aes-entry.js';
import {
  body,
  file,
  folder,
  inChunks,
  link,
  manifest,
  MemorySink,
  noise,
  sha256,
  type Sample,
} from '../tar/archives.js';
import { openBytes, passphraseOf, readZip, writeZip, type Written } from './archives.js';

const pool = new CompressPool(2);
afterAll(() => pool.close());

const encryption = { passphrase: passphraseOf(passphrase) };
const encrypted = (samples: readonly Sample[], level = 6): Promise<Written> =>
  writeZip(pool, samples, { level, encryption });

const text = 'some text that shrinks '.repeat(50_000);

interface Found {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly needed: number;
  readonly aes: string | undefined;
  /** What lies behind the local record. */
  readonly data: Buffer;
}

/** The central records and what they lead to, read byte by byte. */
function records(archive: Buffer): readonly Found[] {
  const found: Found[] = [];
  let at = archive.readUInt32LE(archive.lastIndexOf('PK\x05\x06') + 16);
  while (archive.readUInt32LE(at) === 0x02014b50) {
    const [nameLength, extraLength] = [archive.readUInt16LE(at + 28), archive.readUInt16LE(at + 30)];
    const nameEnd = at + 46 + nameLength;
    const extra = archive.subarray(nameEnd, nameEnd + extraLength);
    const field = extra.indexOf(Buffer.from([0x01, 0x99, 7, 0]));
    const local = archive.readUInt32LE(at + 42);
    const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    found.push({
      name: archive.toString('utf8', at + 46, nameEnd),
      needed: archive.readUInt16LE(at + 6),
      flags: archive.readUInt16LE(at + 8),
      method: archive.readUInt16LE(at + 10),
      crc: archive.readUInt32LE(at + 16),
      aes: field === -1 ? undefined : extra.toString('hex', field + 4, field + 11),
      data: archive.subarray(start, start + archive.readUInt32LE(at + 20)),
    });
    at = nameEnd + extraLength;
  }
  return found;
}

describe('what the writer encrypts', () => {
  const samples = [
    folder('d'),
    file('d/a', 'stored'),
    file('d/empty', ''),
    link('d/link', 'the target of a link'),
    file('d/large', text),
    file('d/noise', noise(3 * blockSize + 17)),
    file('d/shrinks', 'text '.repeat(1000), { mode: 0o4755, uid: 4_000_000_000, mtime: -5n }),
  ];

  it.each([0, 1, 6])('comes back with the passphrase, and is told as encrypted (level %s)', async (level) => {
    const { archive, sums, bodyHash, proof } = await encrypted(samples, level);
    const read = await readZip(pool, archive, { passphrase });
    expect(read).toMatchObject({ thrown: undefined, damaged: [], oddities: [] });
    expect(body(read.samples).map(({ header }) => header)).toEqual(samples.map(({ header }) => header));
    body(read.samples).forEach((sample, index) => expect(sample.bytes.equals(samples[index]!.bytes)).toBe(true));
    expect(sums.map((sum) => sum.sha256)).toEqual(
      samples.filter(({ header }) => header.kind === 'file').map(({ bytes }) => sha256(bytes)),
    );
    const reader = await openBytes(pool, archive);
    expect([await reader.isEncrypted(), await reader.encryption()]).toEqual([true, 'aes']);
    expect(await reader.proveBytes()).toEqual({ sha256: proof.sha256, bodyHash });
    expect(await reader.unlock(passphraseOf(passphrase))).toBe(true);
    expect((await reader.readTail()).manifest).toEqual(manifest);
  });

  it('gives sums alone where content is not wanted', async () => {
    const { archive } = await encrypted(samples);
    const reader = await openBytes(pool, archive);
    await reader.unlock(passphraseOf(passphrase));
    const found = new Map<string, unknown>();
    for await (const { header, content } of reader.decode({ want: () => 'sum' })) found.set(header.path, content);
    expect(found.get('d/large')).toEqual({ kind: 'sum', sha256: sha256(Buffer.from(text)) });
    expect(found.get('d/a')).toEqual({ kind: 'sum', sha256: sha256(Buffer.from('stored')) });
  });

  it('has AE-2 with AES-256 wherever there is content, the two proving files included, and no CRC', async () => {
    const found = records((await encrypted(samples)).archive);
    const clear = found.filter(({ flags }) => (flags & 1) === 0);
    expect(clear.map(({ name, data, aes }) => [name, data.length, aes])).toEqual([
      ['d/', 0, undefined],
      ['d/empty', 0, undefined],
    ]);
    const sealed = found.filter(({ flags }) => (flags & 1) === 1);
    expect(sealed.map(({ name }) => name)).toContain('manifest.json');
    for (const { name, method, crc, needed, aes } of sealed) {
      expect([name, method, crc, needed]).toEqual([name, 99, 0, 51]);
      expect(aes).toMatch(/^0200414503(00|08)00$/);
    }
  });

  it('shows nothing of content, links or passphrase', async () => {
    const secret = noise(2000, 99);
    const written = await encrypted(
      [file('a', secret), link('l', 'where-it-leads'), file('b', text), file('c', noise(blockSize + 9, 5))],
      0,
    );
    const { archive } = written;
    for (const plain of [
      passphrase,
      'where-it-leads',
      'some text that shrinks',
      secret.subarray(100, 116),
      noise(blockSize, 5).subarray(50_000, 50_016),
      '"version"',
      written.sums[0]!.sha256,
    ])
      expect(archive.includes(plain)).toBe(false);
  });

  it('never has two salts alike', async () => {
    const many = Array.from({ length: 2000 }, (_, index) => file(`n${index}`, 'the same'));
    const found = records((await encrypted(many)).archive).filter(({ method }) => method === 99);
    expect(found).toHaveLength(many.length + 2);
    expect(new Set(found.map(({ data }) => data.toString('hex', 0, 16))).size).toBe(found.length);
    expect(new Set(found.map(({ data }) => data.toString('hex', 18, 26))).size).toBe(found.length);
  });

  it('encrypts what it took back and read again under another salt', async () => {
    const sink = new MemorySink();
    const pieces: Buffer[] = [];
    const write = (bytes: Uint8Array): Promise<void> => {
      pieces.push(Buffer.from(bytes));
      return sink.write(bytes);
    };
    const writer = createZipWriter({
      ...{ sink: { write, truncate: (size) => sink.truncate!(size) }, pool, level: 0 },
      ...{ onSum: () => undefined, scratch: '/nowhere', encryption },
    });
    const content = noise(4 * blockSize);
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield* inChunks(content.subarray(0, 3 * blockSize));
      throw new Error('it changed');
    };
    const { header } = file('a', content);
    await expect(writer.add(header, { kind: 'blocks', read: failing })).rejects.toThrow('it changed');
    const first = Buffer.concat(pieces);
    await writer.add(header, { kind: 'blocks', read: () => inChunks(content) });
    await writer.finish({ sums: () => inChunks(Buffer.from('x')), sumsBytes: 1, manifest, mtime: 0n, comment: '' });
    const archive = sink.bytes();
    const start = 30 + archive.readUInt16LE(26) + archive.readUInt16LE(28);
    expect(first.length).toBeGreaterThan(2 * blockSize);
    expect(first.subarray(0, 30)).toEqual(archive.subarray(0, 30));
    for (const at of [0, 18, blockSize, 2 * blockSize])
      expect(first.subarray(start + at, start + at + 16).equals(archive.subarray(start + at, start + at + 16))).toBe(
        false,
      );
    expect((await readZip(pool, archive, { passphrase })).samples[0]?.bytes.equals(content)).toBe(true);
  });
});

describe('keys kept while writing', () => {
  const samples = [file('a', 'x'), file('b', ''), file('large', noise(2 * blockSize)), link('l', 'a')];

  it('are those of all entries, and enough to read them back', async () => {
    const keys = new KeptKeys();
    const { archive } = await writeZip(pool, samples, { encryption: { ...encryption, keys } });
    const sealed = records(archive).filter(({ method }) => method === 99);
    expect(sealed).toHaveLength(5);
    for (const { name, data } of sealed) {
      const salt = data.subarray(0, 16);
      expect([name, keys.find(salt)]).toEqual([name, keyMaterial(passphrase, salt)]);
    }
    expect(await readZip(pool, archive, { passphrase, keys })).toMatchObject({ damaged: [], thrown: undefined });
    // Wrong ones show that they are taken, large or small.
    const wrong = new KeptKeys();
    for (const { name, data } of sealed)
      if (name === 'a' || name === 'large')
        wrong.add(data.subarray(0, 16), keyMaterial('another', data.subarray(0, 16)));
    expect(await readZip(pool, archive, { passphrase, keys: wrong })).toMatchObject({
      damaged: [{ path: 'a' }, { path: 'large' }],
    });
  });

  it('may be fewer than there are entries: the others are derived', async () => {
    const keys = new KeptKeys(2);
    const { archive } = await writeZip(pool, samples, { encryption: { ...encryption, keys } });
    expect(await readZip(pool, archive, { passphrase, keys })).toMatchObject({ damaged: [], thrown: undefined });
  });
});

/** Remembers the keys that large entries are encrypted with. */
const watching = (of: Compressor, keys: Set<Uint8Array>): Compressor => ({
  width: of.width,
  room: (bytes) => of.room(bytes),
  spare: (memory) => of.spare(memory),
  run: (kind, input) => {
    if (kind === 'cipher') keys.add((input as JobMap['cipher']['in']).cipher.key);
    return of.run(kind, input);
  },
});

it('rejects with the failure of the n-th write, for every n, and leaves no key behind', async () => {
  const samples = [file('a', noise(900_000)), file('large', noise(3 * blockSize)), file('b', noise(900_000, 7))];
  for (let n = 0; ; n += 1) {
    const error = new Error(`write ${n}`);
    let writes = 0;
    const sink = { write: () => (writes++ === n ? Promise.reject(error) : Promise.resolve()) };
    const keys = new Set<Uint8Array>();
    const watched = watching(pool, keys);
    const options = { sink, pool: watched, level: 1, onSum: () => undefined, scratch: '/nowhere', encryption };
    const writer = createZipWriter(options);
    const work = async (): Promise<void> => {
      for (const { header, bytes } of samples) {
        if (bytes.length <= blockSize) await writer.add(header, { kind: 'bytes', bytes: Buffer.from(bytes) });
        else await writer.add(header, { kind: 'blocks', read: () => inChunks(bytes) });
      }
      await writer.finish({ sums: () => inChunks(Buffer.from('x')), sumsBytes: 1, manifest, mtime: 0n, comment: '' });
    };
    const outcome: unknown = await work().catch((reason: unknown) => reason);
    await writer.abort();
    for (const key of keys) expect(key.every((byte) => byte === 0)).toBe(true);
    if (outcome === undefined) {
      expect(keys.size).toBe(1);
      expect(n).toBeGreaterThan(3);
      return;
    }
    expect(outcome).toBe(error);
  }
});
