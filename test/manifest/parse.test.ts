import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from '../../src/base/limits.js';
import { finding } from '../../src/manifest/findings.js';
import { serializeManifest, type Manifest } from '../../src/manifest/manifest.js';
import { parseManifest, shapeFault, type ParsedManifest } from '../../src/manifest/parse.js';

const hash = `sha256:${'a'.repeat(64)}`;
const database = {
  pageSize: 4096,
  pageCount: 2,
  journalMode: 'wal',
  userVersion: -1,
  applicationId: 0,
  schemaHash: hash,
  integrity: 'ok',
  snapshotGroup: 1,
} as const;

const full: Manifest = {
  version: '1.0.0',
  generatedAt: '2025-10-30T12:00:00Z',
  includes: ['system.brain', 'uploads'],
  hash,
  encryption: { enabled: false },
  bodyHash: hash,
  id: '20251030T120000Z-daily',
  generator: { name: 'bkp', version: '0.1.0', node: 'v20', platform: 'linux' },
  instance: 'site',
  root: '/srv/site',
  host: 'host',
  schedule: 'daily',
  project: null,
  comment: null,
  complete: true,
  excludes: ['config'],
  totals: { files: 2, directories: 1, links: 1, bytes: 10 },
  sources: [
    { name: 'system.brain', type: 'sqlite', path: 'var/system.brain', files: 1, bytes: 8192, sqlite: database },
    {
      name: 'uploads',
      type: 'directory',
      scope: 'uploads',
      path: 'var/uploads',
      files: 1,
      bytes: 2,
      startedAt: '2025-10-30T12:00:00Z',
      finishedAt: '2025-10-30T12:00:01Z',
      databases: { 'uploads/x.db': { ...database, integrity: 'unchecked' } },
      links: [{ path: 'uploads/l', target: 'new\nline' }],
    },
  ],
  findings: [finding('file-vanished', 'gone', { source: 'uploads', path: 'uploads/x' }), finding('special-file', 'x')],
};
const five = {
  version: '1.0.0',
  generatedAt: '2025-10-30T12:00:00Z',
  includes: ['system.brain'],
  hash,
  encryption: { enabled: true, algorithm: 'AES-256-Zip', hint: 'in the safe' },
};

const parse = (value: unknown): ParsedManifest => parseManifest(Buffer.from(JSON.stringify(value)));

describe('parseManifest', () => {
  it('gives back what was serialized', () => {
    expect(parseManifest(serializeManifest(full))).toEqual({ kind: 'manifest', manifest: full });
  });

  it('takes the first five keys alone, and knows nothing of the others', () => {
    expect(parse(five)).toEqual({ kind: 'manifest', manifest: five });
    expect(parse({ ...five, encryption: { enabled: false } }).kind).toBe('manifest');
  });

  it('passes over unknown keys, at any place, and over other minor versions', () => {
    const later = {
      ...full,
      version: '1.99.7',
      news: { of: ['the', 'future'] },
      sources: [{ ...full.sources[0], colour: 'blue' }],
    };
    expect(parse(later)).toEqual({
      kind: 'manifest',
      manifest: { ...full, version: '1.99.7', sources: [full.sources[0]] },
    });
  });

  it('keeps findings that it does not know by kind and text, and takes no kind of its own ids from outside', () => {
    const findings = [
      { id: 'file-vanished', kind: 'note', message: 'x' },
      { id: 'from-the-future', kind: 'loss', message: 'y' },
      { id: '__proto__', kind: 'loss', message: 'z' },
      { id: 'toString', kind: 'note', message: 'z' },
    ];
    expect(parse({ ...full, findings })).toMatchObject({
      manifest: {
        findings: [
          { id: 'file-vanished', kind: 'loss', message: 'x' },
          { id: 'unknown-loss', kind: 'loss', message: 'y (from-the-future)' },
          { id: 'unknown-loss', kind: 'loss', message: 'z (__proto__)' },
          { id: 'unknown-note', kind: 'note', message: 'z (toString)' },
        ],
      },
    });
  });

  for (const version of ['2.0.0', '2.0.0', '10.0.0', '999999.0.0']) {
    it(`tells a newer format, ${version}, whatever else is in it`, () => {
      expect(parse({ version })).toEqual({ kind: 'newer', version });
      expect(parse({ ...full, version, hash: 7, sources: 'all' })).toEqual({ kind: 'newer', version });
    });
  }

  const without = (key: string): object => Object.fromEntries(Object.entries(five).filter(([name]) => name !== key));
  const source = full.sources[1]!;
  const invalid: Readonly<Record<string, unknown>> = {
    ...Object.fromEntries(Object.keys(five).map((key) => [`one without ${key}`, without(key)])),
    'an empty object': {},
    null: null,
    'a list': [full],
    'a text': 'manifest',
    'a number': 5,
    'a version that is a number': { ...five, version: 1 },
    'a version of two parts': { ...five, version: '1.0' },
    'a version with something behind': { ...five, version: '1.0.0-beta' },
    'a version with a line behind': { ...five, version: '1.0.0\n' },
    'a version beyond counting': { ...five, version: '99999999999.0.0' },
    'a negative version': { ...five, version: '-1.0.0' },
    'a time that is none': { ...five, generatedAt: 'yesterday' },
    'a time without a zone': { ...five, generatedAt: '2025-10-30 12:00' },
    'includes that are a text': { ...five, includes: 'uploads' },
    'includes with a path': { ...five, includes: ['a/b'] },
    'includes with a parent': { ...five, includes: ['..'] },
    'includes with a dot': { ...five, includes: ['.'] },
    'includes with nothing': { ...five, includes: [''] },
    'includes with a NUL': { ...five, includes: ['a\0'] },
    'includes without an end': { ...five, includes: Array(10_001).fill('a') },
    'a hash of another kind': { ...five, hash: `md5:${'a'.repeat(64)}` },
    'a hash too short': { ...five, hash: hash.slice(0, -1) },
    'a hash too long': { ...five, hash: `${hash}a` },
    'a hash in upper case': { ...five, hash: hash.toUpperCase() },
    'a hash with a line behind': { ...five, hash: `${hash}\n` },
    'encryption that is a text': { ...five, encryption: 'none' },
    'encryption that is not told': { ...five, encryption: {} },
    'encryption told by a text': { ...five, encryption: { enabled: 'false' } },
    'a body hash that is none': { ...full, bodyHash: 'sha256:' },
    'completeness told by a number': { ...full, complete: 1 },
    'a count below zero': { ...full, totals: { ...full.totals, files: -1 } },
    'a count with a fraction': { ...full, totals: { ...full.totals, bytes: 0.5 } },
    'a count beyond counting': { ...full, totals: { ...full.totals, bytes: 2 ** 53 } },
    'totals without links': { ...full, totals: { files: 1, directories: 1, bytes: 1 } },
    'sources that are an object': { ...full, sources: {} },
    'a source of an unknown type': { ...full, sources: [{ ...source, type: 'mysql' }] },
    'a source named by a path': { ...full, sources: [{ ...source, name: '../etc' }] },
    'a source that is null': { ...full, sources: [null] },
    'a link without a target': { ...full, sources: [{ ...source, links: [{ path: 'a' }] }] },
    'databases in a list': { ...full, sources: [{ ...source, databases: [1] }] },
    'a database with an unknown verdict': {
      ...full,
      sources: [{ ...source, sqlite: { ...database, integrity: 'bad' } }],
    },
    'a finding without a message': { ...full, findings: [{ id: 'file-vanished', kind: 'loss' }] },
    'a text without an end': { ...full, comment: 'x'.repeat(65_537) },
  };
  for (const [what, value] of Object.entries(invalid)) {
    it(`refuses ${what}, and says so in a short sentence`, () => {
      const result = parse(value);
      expect(result.kind).toBe('invalid');
      expect(result).toHaveProperty('message');
      expect((result as { message: string }).message.length).toBeLessThanOrEqual(500);
    });
  }

  const garbage: Readonly<Record<string, Buffer>> = {
    nothing: Buffer.alloc(0),
    zeros: Buffer.alloc(100),
    'half of one': serializeManifest(full).subarray(0, 400),
    'two of them': Buffer.concat([serializeManifest(full), serializeManifest(full)]),
    'text that is not UTF-8': Buffer.concat([Buffer.from('{"version":"'), Buffer.from([0xff]), Buffer.from('"}')]),
    'UTF-16': Buffer.from(JSON.stringify(full), 'utf16le'),
    'an unclosed text': Buffer.from('{"version": "1.0.0'),
    'a backslash at the end': Buffer.from('"\\'),
    brackets: Buffer.from(']]]]}}}}'),
  };
  for (const [what, bytes] of Object.entries(garbage)) {
    it(`refuses ${what}`, () => {
      expect(parseManifest(bytes).kind).toBe('invalid');
    });
  }

  it('cannot be made to touch a prototype', () => {
    const text = JSON.stringify(full)
      .replace('{"version"', '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"version"')
      .replace(
        '"uploads/x.db":{',
        `"__proto__":${JSON.stringify(database)},"uploads/x.db":{"__proto__":{"polluted":true},`,
      );
    const result = parseManifest(Buffer.from(text));
    expect(result.kind).toBe('manifest');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    const { manifest } = result as { manifest: Manifest };
    expect(Object.getPrototypeOf(manifest)).toBe(Object.prototype);
    const databases = manifest.sources[1]?.databases ?? {};
    expect(Object.getPrototypeOf(databases)).toBe(Object.prototype);
    expect(Object.keys(databases)).toEqual(['uploads/x.db']);
    expect((manifest as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('takes or refuses any JSON and any bytes, and never throws', () => {
    fc.assert(
      fc.property(fc.json(), fc.uint8Array({ maxLength: 200 }), (json, bytes) => {
        expect(parseManifest(Buffer.from(json)).kind).toBe('invalid');
        expect(parseManifest(Buffer.from(bytes)).kind).toBe('invalid');
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(full)), fc.jsonValue(), (key, value) => {
        expect(['manifest', 'invalid']).toContain(parse({ ...full, version: '1.0.0', [key]: value }).kind);
      }),
      { numRuns: 300 },
    );
  });

  it('spends little on millions of values that are all wrong', () => {
    const wrong = Buffer.from(`{"version":"1.0.0","includes":[${'1,'.repeat(3_000_000)}1]}`);
    const before = process.memoryUsage().heapUsed;
    const began = process.cpuUsage();
    expect(parseManifest(wrong).kind).toBe('invalid');
    // Of a processor, in microseconds: the others may be busy.
    expect(process.cpuUsage(began).user).toBeLessThan(5_000_000);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(300 * 1024 * 1024);
  });
});

describe('shapeFault', () => {
  const nested = (depth: number): Buffer => Buffer.from('['.repeat(depth) + ']'.repeat(depth));

  it('bounds nesting, before any of it is parsed', () => {
    expect(shapeFault(nested(16))).toBeUndefined();
    expect(shapeFault(nested(17))).toMatch(/nested/);
    expect(shapeFault(Buffer.from('{"a":'.repeat(100_000)))).toMatch(/nested/);
    expect(shapeFault(Buffer.from(`[${'[],'.repeat(1000)}[]]`))).toBeUndefined();
  });

  it('counts no brackets within texts, whatever is escaped there', () => {
    for (const text of ['[[[[[[[[[[[[[[[[[[[[[[[[[[', '\\"[[[[[[[[[[[[[[[[[[[[[[', '\\\\', '",', 'a\\']) {
      expect(shapeFault(Buffer.from(JSON.stringify({ a: text, b: [text] })))).toBeUndefined();
    }
    expect(shapeFault(Buffer.from(`"\\\\"${'['.repeat(17)}`))).toMatch(/nested/);
  });

  it('bounds the number of objects and of values', () => {
    expect(shapeFault(Buffer.from(`[${'{},'.repeat(2_000_000)}{}]`))).toMatch(/too many/);
    expect(shapeFault(Buffer.from(`[${'1,'.repeat(8_000_001)}1]`))).toMatch(/too many/);
  });

  it('bounds the size', () => {
    expect(shapeFault(Buffer.alloc(limits.maxManifestBytes, ' '))).toBeUndefined();
    expect(shapeFault(Buffer.alloc(limits.maxManifestBytes + 1, ' '))).toMatch(/larger/);
  });

  it('lets everything through that is written: what create writes, every reader accepts', () => {
    const links = Array.from({ length: 100_000 }, (_, index) => ({ path: `uploads/${index}`, target: '"[{\\' }));
    const manifest = { ...full, sources: [{ ...full.sources[1]!, links }] };
    const bytes = serializeManifest(manifest);
    expect(shapeFault(bytes)).toBeUndefined();
    expect(parseManifest(bytes)).toMatchObject({ kind: 'manifest' });
  });
});
