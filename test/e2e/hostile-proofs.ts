import { createHash } from 'node:crypto';
import { packTar, packZip, type Hostile, type Json, type ZipPlan } from '../helpers/hostile-archives.js';
import { rawEntry, rawHeader } from '../archive/tar/raw-tar.js';

type Lies = Pick<ZipPlan, 'sums' | 'manifest' | 'links'>;

const target = 'good';

/** The same file and link in both containers, with the same lies told of them. */
function both(name: string, lies: Lies, ...also: readonly string[]): Hostile[] {
  const told = { links: { 'uploads/l': target }, ...lies };
  const file = { name: 'uploads/good', content: 'good' };
  const link = { name: 'uploads/l', content: target, mode: 0o120777 };
  const raw = [
    rawEntry({ name: file.name }, file.content),
    rawHeader({ name: link.name, type: '2', linkname: target }),
  ];
  return [
    { name: `${name}.zip`, bytes: packZip({ body: [file, link], ...told }), also },
    { name: `${name}.tar.gz`, bytes: packTar({ body: raw, files: { [file.name]: file.content }, ...told }), also },
  ];
}

const zeros = '0'.repeat(64);
const manifest = (what: string, change: (honest: Json) => Json | string | Buffer): Hostile[] =>
  both(`manifest-invalid.${what}`, { manifest: change });
const inSource = (what: string, more: Json): Hostile[] =>
  manifest(what, (honest) => ({
    ...honest,
    sources: (honest['sources'] as Json[]).map((one) => ({ ...one, ...more })),
  }));
const text = (honest: Json): string => JSON.stringify(honest);

const sums: readonly Hostile[] = [
  ...both('checksum-mismatch.other-sum', { sums: (honest) => honest.replace(/^\w{64}/, zeros) }),
  ...both('entry-missing.one-more', { sums: (honest) => `${honest}${zeros}  uploads/b\n` }),
  ...both('entry-missing.one-that-leads-out', { sums: (honest) => `${honest}${zeros}  ../../etc/passwd\n` }),
  ...both('entry-missing.prototype', { sums: (honest) => `${honest}${zeros}  __proto__\n` }),
  ...both('entry-unlisted.nothing-listed', { sums: () => '' }),
  ...both('sums-invalid.noise', { sums: () => Buffer.alloc(5000, 0xff) }),
  ...both('sums-invalid.name-twice', { sums: (honest) => honest + honest }),
  ...both('sums-invalid.no-newline', { sums: (honest) => honest.trimEnd() }),
  ...both('sums-invalid.long-line', { sums: () => 'x'.repeat(2_000_000) }),
  ...both('sums-mismatch.other-hash', { manifest: (honest) => ({ ...honest, hash: `sha256:${zeros}` }) }),
  ...both('container-altered.other-body', { manifest: (honest) => ({ ...honest, bodyHash: `sha256:${zeros}` }) }),
  ...both('size-mismatch.totals', {
    manifest: (honest) => ({ ...honest, totals: { files: 1, directories: 0, links: 1, bytes: 3 } }),
  }),
];

const links: readonly Hostile[] = [
  ...both('entry-unlisted.link', { links: {} }),
  ...both('entry-missing.link', { links: { 'uploads/l': target, 'uploads/m': target } }),
  ...both('link-mismatch.target', { links: { 'uploads/l': '/etc/passwd' } }),
];

const manifests: readonly Hostile[] = [
  ...manifest('noise', () => Buffer.alloc(5000, 0xff)),
  ...manifest('empty', () => ''),
  ...manifest('null', () => 'null'),
  ...manifest('no-end', (honest) => text(honest).slice(0, -1)),
  ...manifest('too-deep', () => '['.repeat(1_000_000)),
  ...manifest('too-deep-and-closed', () => `${'['.repeat(1000)}${']'.repeat(1000)}`),
  ...manifest('too-many-values', () => `[${'1,'.repeat(8_000_001)}1]`),
  ...manifest('too-many-objects', () => `[${'[],'.repeat(2_000_001)}1]`),
  ...manifest('many-faults', () => `{"version":"1.0.0","includes":[${'0,'.repeat(200_000)}0]}`),
  ...manifest(
    'keys-of-a-prototype-alone',
    (honest) => `{"__proto__":${text(honest)},"constructor":{"prototype":${text(honest)}}}`,
  ),
  ...manifest('version-no-number', (honest) => ({ ...honest, version: '1e9.0.0' })),
  ...manifest('name-that-leads-out', (honest) => ({ ...honest, includes: ['..'] })),
  ...manifest('name-of-two-segments', (honest) => ({ ...honest, includes: ['uploads/../..'] })),
  ...manifest('hash-no-hash', (honest) => ({ ...honest, hash: 'sha256:0' })),
  ...inSource('count-negative', { files: -1 }),
  ...inSource('count-infinite', { bytes: 1e308 }),
  ...inSource('source-name-absolute', { name: '/etc' }),
  ...both('format-newer.two', { manifest: (honest) => ({ ...honest, version: '2.0.0' }) }),
  ...both('format-newer.many', { manifest: () => '{"version":"999999.0.0"}' }),
];

const [plain] = both('plain', {});
const plainBytes = plain?.bytes ?? Buffer.alloc(0);
const ownSum = createHash('sha256').update(plainBytes).digest('hex');
const side = (name: string, sideText: string): Hostile => ({ name: `${name}.zip`, bytes: plainBytes, side: sideText });

const sides: readonly Hostile[] = [
  side('archive-checksum-mismatch.other', `${zeros}  x.zip\n`),
  side('side-file-invalid.noise', 'not a sum at all\n'),
  side('side-file-invalid.empty', ''),
  side('side-file-invalid.two-lines', `${ownSum}  x.zip\n${zeros}  x.zip\n`),
  side('side-file-invalid.huge', `${ownSum}  ${'x'.repeat(40 * 1024 * 1024)}`),
];

export const hostileProofs: readonly Hostile[] = [sums, links, manifests, sides].flat();
