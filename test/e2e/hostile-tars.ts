import { gzipSync } from 'node:zlib';
import { ending, member, packTar, patched, type Hostile, type TarPlan } from '../helpers/hostile-archives.js';
import { uint32 } from '../helpers/zip-builder.js';
import { endOfArchive, paxHeader, rawEntry, rawHeader, record, type RawHeader } from '../archive/tar/raw-tar.js';

const files = { 'uploads/good': 'good' };
const good = rawEntry({ name: 'uploads/good' }, 'good');
const outside = '/bkp-hostile-escaped';

const tar = (name: string, plan: TarPlan, ...also: readonly string[]): Hostile => ({
  name: `${name}.tar.gz`,
  bytes: packTar(plan),
  also,
});

/** Something bad behind a good file. What the reader throws ends the list. */
const behind = (name: string, ...pieces: readonly Buffer[]): Hostile => tar(name, { body: [good, ...pieces], files });
const named = (what: string, name: string | Buffer, more: RawHeader = {}): Hostile =>
  behind(`entry-path-unsafe.${what}`, rawEntry({ ...more, name }, 'x'));
const paxNamed = (what: string, name: string | Buffer): Hostile =>
  behind(`entry-path-unsafe.${what}`, paxHeader(record('path', name)), rawEntry({}, 'x'));
/** An extended header of these bytes, whatever they are. */
const pax = (what: string, text: string | Buffer): Hostile =>
  behind(`structure-invalid.pax-${what}`, rawEntry({ name: 'PaxHeader', type: 'x' }, text), rawEntry({}, 'x'));

const names: readonly Hostile[] = [
  named('dot-dot', 'uploads/../../escaped'),
  named('absolute', outside),
  named('drive', 'C:/escaped'),
  named('empty-segment', 'uploads//b'),
  named('dot-segment', 'uploads/./b'),
  named('leading-dot-slash', './uploads/b'),
  named('nothing', ''),
  named('not-utf8', Buffer.from([0x75, 0x2f, 0xff, 0xfe])),
  named('dot-dot-in-prefix', 'escaped', { prefix: 'uploads/../..' }),
  paxNamed('pax-dot-dot', 'uploads/../../escaped'),
  paxNamed('pax-nul', 'uploads/a\0.png'),
  paxNamed('long-name', `uploads/${'n'.repeat(256)}`),
  paxNamed('long-path', `uploads${`/${'n'.repeat(200)}`.repeat(21)}`),
  paxNamed('too-deep', `uploads${'/d'.repeat(256)}`),
  behind(
    'entry-path-unsafe.gnu-long-name',
    rawEntry({ name: '././@LongLink', type: 'L' }, `${outside}\0`),
    rawEntry({}, 'x'),
  ),
  behind(
    'entry-path-unsafe.global-path',
    rawEntry({ name: 'GlobalHead', type: 'g' }, record('path', '../escaped')),
    rawEntry({}, 'x'),
  ),
  behind('entry-path-unsafe.link-to-nothing', rawHeader({ name: 'uploads/l', type: '2' })),
];

const special = (what: string, type: string, more: RawHeader = {}): Hostile =>
  behind(`entry-type-forbidden.${what}`, rawHeader({ name: 'uploads/t', ...more, type }));

const types: readonly Hostile[] = [
  special('hard-link', '1', { linkname: 'uploads/good' }),
  special('hard-link-that-leads-out', '1', { linkname: '/etc/passwd' }),
  special('character-device', '3'),
  special('block-device', '4'),
  special('fifo', '6'),
  special('sparse', 'S'),
  special('unknown', 'Z'),
  special('hard-link-with-content', '1', { linkname: 'uploads/good', size: 5 }),
  tar('entry-type-forbidden.pax-sparse', {
    ...{ body: [good, paxHeader(record('GNU.sparse.major', '1')), rawEntry({}, 'x')] },
    files: { ...files, 'uploads/a': 'x' },
  }),
];

const a = rawEntry({}, 'a');
const linkTo = (linkname: string): Buffer => rawHeader({ name: 'uploads/l', type: '2', linkname });
const link = linkTo('d');
const links = { 'uploads/l': 'd' };
const below = rawEntry({ name: 'uploads/l/escaped' }, 'x');
const belowFile = { 'uploads/l/escaped': 'x' };

const leading = (what: string, to: string): Hostile =>
  tar(`link-target-unsafe.${what}`, { body: [good, linkTo(to)], files, links: { 'uploads/l': to } });

const trees: readonly Hostile[] = [
  tar('entry-duplicate.file-twice', { body: [a, a], files: { 'uploads/a': 'a' } }),
  tar('entry-under-link.file-is-a-folder', {
    body: [a, rawEntry({ name: 'uploads/a/b' }, 'x')],
    files: { 'uploads/a': 'a', 'uploads/a/b': 'x' },
  }),
  tar('entry-under-link.through-a-link', { body: [link, below], files: belowFile, links }),
  tar('entry-under-link.link-behind', { body: [below, link], files: belowFile, links }, 'entry-missing'),
  leading('climbs-out', 'd/../../../escaped'),
];

const headers: readonly Hostile[] = [
  behind('structure-invalid.header-checksum', patched(a, 0, Buffer.from('U'))),
  behind(
    'structure-invalid.negative-size',
    rawHeader({ size: Buffer.from('ff'.repeat(12), 'hex').toString('latin1') }),
  ),
  behind('structure-invalid.size-no-number', rawHeader({ size: 'twelve bytes' })),
  behind('structure-invalid.folder-with-content', rawEntry({ name: 'uploads/e', type: '5' }, 'x')),
  tar('structure-invalid.content-not-padded-with-zeros', {
    body: [patched(a, 600, Buffer.from('hidden'))],
    files: { 'uploads/a': 'a' },
  }),
  pax('length-zero', '0 path=x\n'),
  pax('length-negative', '-9 path=x\n'),
  pax('length-huge', '9999999 path=x\n'),
  pax('length-of-many-digits', '99999999999999999999 path=x\n'),
  pax('length-short', '5 path=x\n'),
  pax('noise', Buffer.alloc(100, 0xff)),
  pax('size-negative', record('size', '-1')),
  pax('size-beyond-numbers', record('size', '99999999999999999999')),
  pax('size-with-exponent', record('size', '1e9')),
  pax('path-twice', Buffer.concat([record('path', 'uploads/b'), record('path', 'uploads/c')])),
  pax('mtime-no-time', record('mtime', 'NaN')),
  pax('uid-negative', record('uid', '-1')),
  behind('structure-invalid.pax-twice', paxHeader(record('uid', '1')), paxHeader(record('uid', '2')), a),
  behind('structure-invalid.pax-larger-than-allowed', rawHeader({ name: 'PaxHeader', type: 'x', size: 2 ** 30 })),
  tar('truncated.size-huge', {
    body: [good, paxHeader(record('size', String(2 ** 50))), a],
    files: { ...files, 'uploads/a': 'a' },
    manifest: ({ totals: _, ...rest }) => rest,
  }),
  tar('size-mismatch.size-beyond-the-totals', {
    body: [good, rawEntry({}, Buffer.alloc(9_000_000))],
    files: { ...files, 'uploads/a': 'a' },
  }),
];

const whole = packTar({ body: [good], files });
const members = (name: string, change: TarPlan['members'], ...also: readonly string[]): Hostile =>
  tar(name, { body: [good], files, ...(change === undefined ? {} : { members: change }) }, ...also);
/** The first member with another size in its subfield. */
const sized = (what: string, size: (honest: number) => number): Hostile =>
  members(
    what,
    ([body = none, ...rest]) => [patched(body, 16, uint32(size(body.length))), ...rest],
    'container-altered',
  );
const none = Buffer.alloc(0);
const bomb = member(Buffer.alloc(200 * 1024 * 1024));
const of = (name: string, bytes: Buffer, ...also: readonly string[]): Hostile => ({
  name: `${name}.tar.gz`,
  bytes,
  also,
});
const ends = (what: string, sumsAt: number, manifestAt: number): Hostile =>
  members(`structure-invalid.${what}`, (all) => [...all.slice(0, 3), ending(sumsAt, manifestAt)], 'container-altered');

const containers: readonly Hostile[] = [
  tar('truncated.no-end-marker', { body: [good], files, end: none }),
  tar('truncated.half-an-end-marker', { body: [good], files, end: Buffer.alloc(512) }),
  tar('data-after-end.behind-the-marker', {
    body: [good],
    files,
    end: Buffer.concat([endOfArchive, rawEntry({}, 'x')]),
  }),
  of('data-after-end.behind-the-last-member', Buffer.concat([whole, Buffer.from('more')]), 'container-altered'),
  of('truncated.half', whole.subarray(0, whole.length >> 1)),
  of('truncated.last-byte', whole.subarray(0, -1)),
  of('truncated.signature-alone', whole.subarray(0, 2)),
  members('truncated.no-last-member', (all) => all.slice(0, 3), 'container-altered'),
  sized('structure-invalid.member-of-no-bytes', () => 0),
  sized('structure-invalid.member-of-four-gigabytes', () => 0xffffffff),
  sized('content-undecodable.member-shorter', (size) => size - 1),
  sized('truncated.member-longer', () => 1_000_000),
  ends('offsets-swapped', 200, 100),
  ends('offsets-into-a-member', 5, 900),
  ends('offsets-beyond', 2 ** 40, 2 ** 41),
  members(
    'content-undecodable.member-crc',
    ([body = none, ...rest]) => [patched(body, -8, uint32(1)), ...rest],
    'container-altered',
  ),
  members(
    'content-undecodable.member-size',
    ([body = none, ...rest]) => [patched(body, -4, uint32(1)), ...rest],
    'container-altered',
  ),
  members(
    'content-undecodable.member-noise',
    ([body = none, ...rest]) => [patched(body, 22, Buffer.alloc(20, 255)), ...rest],
    'container-altered',
  ),
  members(
    'content-undecodable.bomb',
    ([, ...rest]) => [bomb, ...rest.slice(0, 2), endingBehind(bomb, rest)],
    'container-altered',
  ),
  of('manifest-missing.bomb-of-zeros', gzipSync(Buffer.alloc(200 * 1024 * 1024))),
  of('truncated.ordinary-cut', gzipSync(good).subarray(0, -9)),
  of('truncated.ordinary-huge-file', gzipSync(Buffer.concat([paxHeader(record('size', String(2 ** 52))), a]))),
  of('crc-mismatch.ordinary', patched(gzipSync(Buffer.concat([good, endOfArchive])), -8, uint32(1))),
  of('size-mismatch.ordinary', patched(gzipSync(Buffer.concat([good, endOfArchive])), -4, uint32(1))),
  of('structure-invalid.ordinary-header', patched(gzipSync(good), 3, Buffer.from([0xe0]))),
  of('content-undecodable.ordinary-noise', Buffer.concat([gzipSync(good).subarray(0, 10), Buffer.alloc(99, 255)])),
  of('manifest-missing.ordinary', gzipSync(Buffer.concat([good, endOfArchive]))),
  of('structure-invalid.no-tar', gzipSync(Buffer.alloc(2000, 'text'))),
];

function endingBehind(body: Buffer, [sums = none]: readonly Buffer[]): Buffer {
  return ending(body.length, body.length + sums.length);
}

export const hostileTars: readonly Hostile[] = [names, types, trees, headers, containers].flat();
