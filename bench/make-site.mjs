// Makes an instance of real size, of the same layout as fixtures/site, always to the same bytes for the same arguments:
//
//   node bench/make-site.mjs <folder> [--megabytes 300] [--files 4000] [--seed 1] [--database-megabytes 150]
//
// A megabyte is 1,048,576 bytes. `--megabytes` is the whole; what databases and snapshots leave of it are uploads.
import { createCipheriv } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  buildDatabase,
  fillSystem,
  fillUser,
  makeProse,
  makeRandom,
  projects,
  snapshotJson,
  systemSchema,
  timeAt,
  uploadPlace,
  userSchema,
} from '../fixtures/build-site.mjs';

const KiB = 1024;
const MiB = 1024 * KiB;
const smallestUpload = 20 * KiB;
const largestUpload = 8 * MiB;

// SOI, JFIF, and the start of a scan: enough for `file` and for whoever goes by the first bytes. No decoder reads on.
const jpegHead = Buffer.from('ffd8ffe000104a46494600010100000100010000ffda0008010100003f00', 'hex');
const jpegTail = Buffer.from('ffd9', 'hex');

function refuse(message) {
  console.error(message);
  process.exit(2);
}

function readArguments() {
  const options = { megabytes: '300', files: '4000', seed: '1', 'database-megabytes': '150' };
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: Object.fromEntries(
      Object.entries(options).map(([name, value]) => [name, { type: 'string', default: value }]),
    ),
  });
  for (const [name, value] of Object.entries(values)) {
    if (!/^\d{1,9}$/.test(value)) refuse(`--${name} takes a whole number, not ${value}.`);
  }
  if (positionals.length !== 1) refuse('Name one folder that is empty or does not exist.');
  return {
    folder: positionals[0],
    bytes: Number(values.megabytes) * MiB,
    files: Number(values.files),
    seed: Number(values.seed),
    databaseBytes: Number(values['database-megabytes']) * MiB,
  };
}

/** Until the database has `bytes`; it ends a page or a few beyond. */
const until = (bytes) => (db) => db.pragma('page_count', { simple: true }) * 4096 < bytes;

/** `count` publications of one entity each, 1 to 8 KiB. Gives the number of bytes written. */
function makeSnapshots(folder, count, random, prose) {
  for (const project of projects) mkdirSync(join(folder, project), { recursive: true });
  let bytes = 0;
  for (let n = 1; n <= count; n++) {
    const project = projects[n % projects.length];
    // The frame takes up to 400 bytes, and an umlaut two, so that 7,100 characters stay below 8 KiB.
    const entity = { id: n, type: 'page', title: prose.title(), text: prose.text(800 + random.below(6300)) };
    const json = Buffer.from(snapshotJson(project, timeAt(n * 60), [entity]));
    writeFileSync(join(folder, project, `${timeAt(n * 60).replaceAll(/[-:]/g, '')}.json`), json);
    bytes += json.length;
  }
  return bytes;
}

/** Each doubling from 20 KiB to 8 MiB is as likely as the next: many small files, most bytes in few large ones. */
function uploadSize(random, left) {
  const size = Math.floor(smallestUpload * 2 ** random.below(9) * (1 + random.below(1000) / 1000));
  return Math.min(size, largestUpload, left);
}

/** Files that do not compress, `bytes` in all but for the last 20 KiB. Gives their rows of the table `media`. */
function makeUploads(folder, bytes, seed, random) {
  const key = Buffer.alloc(32);
  key.writeUInt32LE(seed);
  const keystream = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(largestUpload);
  const media = [];
  for (let left = bytes; left >= smallestUpload; left -= media.at(-1).bytes) {
    const noise = zeros.subarray(0, uploadSize(random, left) - jpegHead.length - jpegTail.length);
    const content = Buffer.concat([jpegHead, keystream.update(noise), jpegTail]);
    const { sha256, path } = uploadPlace(content, 'jpg');
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
    media.push({ sha256, path, bytes: content.length });
  }
  return media;
}

function makeSite({ folder, bytes, files, seed, databaseBytes }) {
  const random = makeRandom(seed);
  const prose = makeProse(random);
  const system = join(folder, 'var/system.brain');
  const user = join(folder, 'var/user.brain');
  mkdirSync(join(folder, 'var/uploads'), { recursive: true });
  buildDatabase(system, 'DELETE', systemSchema, (db) => fillSystem(db, random, prose, until(databaseBytes / 20)));
  const snapshots = makeSnapshots(join(folder, 'var/snapshots'), files, random, prose);
  const left = bytes - databaseBytes - statSync(system).size - snapshots;
  const media = makeUploads(join(folder, 'var/uploads'), left, seed, random);
  buildDatabase(user, 'WAL', userSchema, (db) => fillUser(db, random, prose, media, until(databaseBytes)));
  return [
    ['var/system.brain', 1, statSync(system).size],
    ['var/user.brain', 1, statSync(user).size],
    ['var/snapshots', files, snapshots],
    ['var/uploads', media.length, media.reduce((sum, file) => sum + file.bytes, 0)],
  ];
}

const request = readArguments();
// The frame and 8 KiB for each file, so that nothing is made which could not be finished.
if (request.bytes < request.databaseBytes * 1.05 + request.files * 8 * KiB) {
  refuse('--megabytes is too small for the databases (1.05 times --database-megabytes) and 8 KiB for each of --files.');
}
if (existsSync(request.folder) && readdirSync(request.folder).length > 0) {
  refuse(`${request.folder} is not empty. Name another folder; nothing was written.`);
}
const started = performance.now();
const parts = makeSite(request);
const total = parts.reduce(([files, bytes], part) => [files + part[1], bytes + part[2]], [0, 0]);
for (const [name, files, bytes] of [...parts, ['all', ...total]]) {
  console.log(`${name.padEnd(18)}${String(files).padStart(8)} files${(bytes / MiB).toFixed(1).padStart(10)} MiB`);
}
console.log(`${request.folder}, seed ${request.seed}, made in ${((performance.now() - started) / 1000).toFixed(1)} s`);
