import { deflateRawSync } from 'node:zlib';
import { packZip, patched, type Hostile, type ZipPlan } from '../helpers/hostile-archives.js';
import { buildZip, descriptor, extra, uint32, uint64s, type RawEntry } from '../helpers/zip-builder.js';

const good: RawEntry = { name: 'uploads/good', content: 'good' };
const last: RawEntry = { name: 'uploads/z', content: 'last' };
const target = '/bkp-hostile-escaped';

const zip = (name: string, plan: ZipPlan, ...also: readonly string[]): Hostile => ({
  name: `${name}.zip`,
  bytes: packZip(plan),
  also,
});

/** One bad entry between two good ones. */
const one = (name: string, entry: RawEntry, ...also: readonly string[]): Hostile =>
  zip(name, { body: [good, entry, last] }, ...also);

/** One whose name or type keeps it out of the list: SHA256SUMS does not name it. */
const refused = (name: string, entry: RawEntry): Hostile =>
  zip(name, { body: [good, entry, last], listed: [good, last] }, 'data-between-entries');

const named = (what: string, name: string | Buffer, more: RawEntry = {}): Hostile =>
  refused(`entry-path-unsafe.${what}`, { content: 'x', ...more, name });

const names: readonly Hostile[] = [
  named('dot-dot', 'uploads/../../escaped'),
  named('dot-dot-alone', '..'),
  named('absolute', target),
  named('drive', 'C:/escaped'),
  named('drive-relative', 'c:escaped'),
  named('backslash-from-dos', 'uploads\\..\\..\\escaped', { central: { madeBy: 20 } }),
  named('nul', 'uploads/a\0.png'),
  named('empty-segment', 'uploads//b'),
  named('dot-segment', 'uploads/./b'),
  named('leading-dot-slash', './uploads/b'),
  named('long-name', `uploads/${'n'.repeat(256)}`),
  named('long-path', `uploads${`/${'n'.repeat(200)}`.repeat(21)}`),
  named('too-deep', `uploads${'/d'.repeat(256)}`),
  named('not-utf8', Buffer.from([0x75, 0x2f, 0xff, 0xfe])),
  named('nothing', ''),
  refused('entry-path-unsafe.long-link-target', {
    ...{ name: 'uploads/l', content: 't'.repeat(5000), mode: 0o120777 },
  }),
  ...[
    ['fifo', 0o010644],
    ['character-device', 0o020666],
    ['block-device', 0o060660],
    ['socket', 0o140755],
    ['unknown', 0o110644],
    ['folder-without-slash', 0o040755],
  ].map(([what, mode]) => refused(`entry-type-forbidden.${what ?? ''}`, { name: 'uploads/t', mode: Number(mode) })),
  refused('entry-type-forbidden.file-with-slash', { name: 'uploads/t/', content: 'x', mode: 0o100644 }),
];

const a: RawEntry = { name: 'uploads/a', content: 'a' };
const linkTo = (content: string): RawEntry => ({ name: 'uploads/l', content, mode: 0o120777 });
const link = linkTo('d');
const below: RawEntry = { name: 'uploads/l/escaped', content: 'x' };

const leading = (what: string, to: string): Hostile =>
  zip(`link-target-unsafe.${what}`, { body: [good, linkTo(to)], links: { 'uploads/l': to } });

const trees: readonly Hostile[] = [
  zip('entry-duplicate.file-twice', { body: [a, a], listed: [a] }),
  zip('entry-duplicate.file-and-folder', { body: [a, { name: 'uploads/a/' }] }),
  zip('entry-duplicate.manifest-twice', { body: [a], tail: (s, m) => [s, m, m] }, 'container-altered'),
  zip('manifest-invalid.another-before', { body: [{ name: 'manifest.json', content: '{}' }, a], listed: [a] }),
  zip('entry-under-link.file-is-a-folder', { body: [a, { name: 'uploads/a/b', content: 'x' }] }),
  zip('entry-under-link.folder-is-a-file', { body: [{ name: 'uploads/a/b', content: 'x' }, a] }, 'entry-missing'),
  zip('entry-under-link.through-a-link', { body: [link, below], links: { 'uploads/l': 'd' } }),
  zip('entry-under-link.link-behind', { body: [below, link], links: { 'uploads/l': 'd' } }, 'entry-missing'),
  leading('climbs-out', '../../escaped'),
  leading('climbs-out-and-back', '../uploads/good'),
  zip(
    'link-target-unsafe.with-a-file-below',
    { body: [linkTo('../../escaped'), below], links: { 'uploads/l': '../../escaped' } },
    'entry-under-link',
  ),
];

const packed = deflateRawSync('packed '.repeat(20));
const lies = (fields: NonNullable<RawEntry['central']>): Pick<RawEntry, 'local' | 'central'> => ({
  local: fields,
  central: fields,
});
/** 300 MiB of zeros in 300 KB. */
const bomb = deflateRawSync(Buffer.alloc(300 * 1024 * 1024), { level: 1 });
const terabyte = uint64s(2 ** 40);
const mebibytes = Buffer.alloc(3 * 1024 * 1024);
const halves = [0, 1, 2].map((index) => deflateRawSync(mebibytes.subarray(index * 1048576, (index + 1) * 1048576)));
const allPacked = deflateRawSync(mebibytes);
const third = Math.floor(allPacked.length / 3);

const contents: readonly Hostile[] = [
  one('size-mismatch.stored-declares-more', { ...a, content: 'aaaa', ...lies({ size: 400 }) }),
  one('size-mismatch.stored-declares-less', { ...a, content: 'aaaa', ...lies({ size: 1 }) }),
  one('size-mismatch.deflated-declares-less', { ...a, content: 'packed '.repeat(20), method: 8, ...lies({ size: 3 }) }),
  one('size-mismatch.deflated-declares-more', { ...a, content: 'a', method: 8, ...lies({ size: 10 }) }),
  one('size-mismatch.bomb', { ...a, content: 'a', method: 8, data: bomb, ...lies({ size: 1 }) }),
  zip('size-mismatch.bomb-as-large-file', {
    body: [{ ...a, content: mebibytes, method: 8, data: bomb }],
  }),
  zip('size-mismatch.bomb-as-manifest', {
    body: [good],
    tail: (s, m) => [s, { ...m, method: 8, data: bomb, ...lies({ packedSize: bomb.length }) }],
  }),
  zip('size-mismatch.terabyte-declared', {
    body: [{ ...a, method: 8, data: packed, extra: extra(1, terabyte), ...lies({ size: 0xffffffff }) }],
    listed: [a],
  }),
  zip('size-mismatch.folder-with-content', { body: [good, { name: 'uploads/e/', content: 'x' }] }),
  zip('size-mismatch.bomb-as-link', {
    body: [{ ...link, method: 8, data: bomb, ...lies({ size: 12 }) }],
    links: { 'uploads/l': target },
  }),
  one('crc-mismatch.stored', { ...a, ...lies({ crc: 1 }) }),
  one('crc-mismatch.deflated', { ...a, method: 8, ...lies({ crc: 1 }) }),
  zip('crc-mismatch.large-file', { body: [{ ...a, content: mebibytes, method: 8, ...lies({ crc: 1 }) }] }),
  one('content-undecodable.noise', { ...a, method: 8, data: Buffer.alloc(40, 0xff) }),
  one('content-undecodable.data-behind-the-stream', {
    ...{ ...a, content: 'packed '.repeat(20), method: 8, data: Buffer.concat([packed, Buffer.from('more')]) },
  }),
  one('content-undecodable.stream-cut', {
    ...{ ...a, content: 'packed '.repeat(20), method: 8, data: packed.subarray(0, -3) },
  }),
  zip('content-undecodable.blocks-lie', {
    body: [
      { ...a, content: mebibytes, method: 8, data: allPacked, ...blocks([third, third, allPacked.length - 2 * third]) },
    ],
  }),
  zip('content-undecodable.blocks-are-streams', {
    body: [
      {
        ...a,
        content: mebibytes,
        method: 8,
        data: Buffer.concat(halves),
        ...blocks(halves.map(({ length }) => length)),
      },
    ],
  }),
  one('content-undecodable.method-bzip2', { ...a, method: 12 }),
  one('content-undecodable.method-unheard-of', { ...a, method: 0x7777 }),
  one('content-undecodable.one-encrypted', { ...a, flags: 0x0801 }),
  zip('encryption-unsupported.manifest-encrypted', { body: [good], tail: (s, m) => [s, { ...m, flags: 0x0801 }] }),
  zip('checksum-mismatch.other-content', { body: [{ ...a, content: 'b' }], listed: [a] }),
];

/** Our own extra field, with the blocks' packed sizes. */
function blocks(sizes: readonly number[]): Pick<RawEntry, 'central'> {
  const value = Buffer.concat(sizes.map(uint32));
  return { central: { extra: extra(0x4b42, Buffer.concat([Buffer.from([2, value.length, 0]), value])) } };
}

const contradicts = (
  what: string,
  fields: NonNullable<RawEntry['local']>,
  more: RawEntry = {},
  ...also: readonly string[]
): Hostile => one(`central-local-mismatch.${what}`, { ...a, ...more, local: fields }, ...also);

const contradictions: readonly Hostile[] = [
  contradicts('name', { name: Buffer.from('uploads/b') }),
  contradicts('name-that-leads-out', { name: Buffer.from('../../../x') }, { name: 'uploads/ab' }),
  contradicts('size', { size: 7 }),
  contradicts('packed-size', { packedSize: 0 }),
  contradicts('crc', { crc: 1 }),
  contradicts('method', { method: 8 }),
  contradicts('flags', { flags: 0 }),
  contradicts('time', { time: 1 }),
  contradicts(
    'owner',
    { extra: extra(0x7875, Buffer.from([1, 1, 1, 1, 1])) },
    {
      central: { extra: extra(0x7875, Buffer.from([1, 1, 2, 1, 2])) },
    },
  ),
  contradicts(
    'descriptor',
    { crc: 0, size: 0, packedSize: 0 },
    { flags: 0x0808, descriptor: descriptor(9, 9, 9) },
    'data-between-entries',
  ),
  // Modes lie in the central record alone: what contradicts them is the body hash.
  zip('container-altered.mode', {
    ...{
      body: [a],
      tail: (s, m) => [s, m],
      manifest: (honest) => ({ ...honest, bodyHash: bodyHashOf([{ ...a, mode: 0o100600 }]) }),
    },
  }),
  zip('container-altered.order-of-records', { body: [a, good], end: { order: [1, 0, 2, 3] } }),
  zip('container-altered.proofs-in-other-order', { body: [a], tail: (s, m) => [m, s] }),
];

/** What the manifest of an archive of these entries says of its body. */
function bodyHashOf(body: readonly RawEntry[]): unknown {
  let found: unknown;
  packZip({ body, manifest: (honest) => ((found = honest['bodyHash']), honest) });
  return found;
}

const local = buildZip([{ name: 'uploads/b', content: 'b' }]).subarray(0, 30 + 9 + 1);
const whole = packZip({ body: [good, a, last] });
const of = (name: string, bytes: Buffer, ...also: readonly string[]): Hostile => ({ name: `${name}.zip`, bytes, also });
const sevenZip = Buffer.from('7z\xbc\xaf\x27\x1c', 'latin1');

const layouts: readonly Hostile[] = [
  zip('entries-overlap.same-local-record', {
    body: [good, a, { name: 'uploads/b', content: 'a', centralOnly: true, central: { offset: 30 + 12 + 4 } }],
  }),
  zip('entries-overlap.record-inside-content', {
    body: [
      { name: 'uploads/a', content: local },
      { name: 'uploads/b', content: 'b', centralOnly: true, central: { offset: 30 + 9 } },
    ],
  }),
  zip(
    'structure-invalid.record-behind-the-directory',
    {
      body: [good, { ...a, centralOnly: true, central: { offset: 0x7fffffff } }],
    },
    'container-altered',
  ),
  zip('structure-invalid.no-record-there', { body: [good, { ...a, centralOnly: true, central: { offset: 3 } }] }),
  one('structure-invalid.content-into-the-directory', { ...a, ...lies({ packedSize: 1_000_000, size: 1_000_000 }) }),
  one('structure-invalid.extra-field-too-long', { ...a, extra: Buffer.from([1, 2, 255, 255]) }),
  one('structure-invalid.zip64-without-values', {
    ...a,
    extra: extra(1, Buffer.alloc(0)),
    ...lies({ size: 0xffffffff }),
  }),
  one('size-mismatch.zip64-of-2-to-the-63', {
    ...{ ...a, extra: extra(1, uint64s(2n ** 63n)), ...lies({ size: 0xffffffff }) },
  }),
  zip('data-between-entries.at-the-start', { body: [{ ...good, gap: Buffer.from('PK\x03\x04 a prefix') }, a] }),
  of('structure-invalid.another-format-at-the-start', Buffer.concat([sevenZip, whole])),
  one('data-between-entries.between', { ...a, gap: local }),
  zip('data-between-entries.before-the-directory', { body: [a], end: { gap: local } }),
  zip('structure-invalid.behind-the-directory', { body: [a], end: { gapBehind: local } }),
  zip('data-after-end.noise', { body: [a], end: { behind: Buffer.from('more') } }),
  of('data-after-end.another-zip-before', Buffer.concat([whole, Buffer.alloc(70_000)])),
  of('truncated.half', whole.subarray(0, whole.length >> 1)),
  of('truncated.last-byte', whole.subarray(0, -1)),
  of('truncated.empty', Buffer.alloc(0)),
  of('truncated.signature-alone', whole.subarray(0, 4)),
];

const ends: readonly Hostile[] = [
  zip('truncated.more-entries-told', { body: [a], end: { entries: 9 } }),
  zip('structure-invalid.fewer-entries-told', { body: [a], end: { entries: 2 } }),
  zip('structure-invalid.spanning-disks', { body: [a], end: { disk: 1 } }),
  zip('structure-invalid.entries-on-other-disks', { body: [a], end: { entriesHere: 1 } }),
  zip('structure-invalid.directory-elsewhere', { body: [a], end: { offset: 5 } }),
  zip('structure-invalid.directory-longer', { body: [a], end: { bytes: 0x7fffffff } }),
  zip('truncated.comment-longer', { body: [a], end: { commentLength: 9 } }),
  zip('too-many-entries.zip64', { body: [a], end: { zip64: { entries: 10_000_001n } } }),
  zip('too-many-entries.zip64-of-2-to-the-60', { body: [a], end: { zip64: { entries: 2n ** 60n } } }),
  zip('structure-invalid.zip64-millions-told', { body: [a], end: { zip64: { entries: 9_999_999n } } }),
  zip('structure-invalid.zip64-located-elsewhere', { body: [a], end: { zip64: { locatedAt: 0n } } }),
  zip('structure-invalid.zip64-located-beyond', { body: [a], end: { zip64: { locatedAt: 2n ** 64n - 1n } } }),
  zip('structure-invalid.zip64-record-size', { body: [a], end: { zip64: { recordSize: 2n ** 40n } } }),
  zip('structure-invalid.zip64-directory-beyond', { body: [a], end: { zip64: { offset: 2n ** 50n } } }),
  zip('structure-invalid.zip64-disks', { body: [a], end: { zip64: { disks: 4n } } }),
  zip('structure-invalid.zip64-contradicts', { body: [a], end: { zip64: {}, entries: 1 } }),
];

/** In place of a length in a directory: reaches far beyond what is there. */
const lengths: readonly Hostile[] = (['nameLength', 'extraLength', 'commentLength'] as const).map((field) =>
  one(`truncated.central-${field}`, { ...a, central: { [field]: 0xfff0 } }),
);

export const hostileZips: readonly Hostile[] = [
  ...[names, trees, contents, contradictions, layouts, ends, lengths].flat(),
  of('manifest-missing.empty-zip', buildZip([])),
  of('manifest-missing.no-proofs', buildZip([good])),
  zip('structure-invalid.central-signature', { body: [{ ...a, central: { signature: 0x02014b51 } }] }),
  of('structure-invalid.signature-alone-left', patched(whole, 0, Buffer.from('PX'))),
];
