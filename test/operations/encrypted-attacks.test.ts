import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tool } from '../helpers/cli.js';
import { directory, failure, instance, newTarget, restore, verify, type Instance } from '../helpers/instance.js';
import { temporaryFolder } from '../helpers/surroundings.js';
import { ids } from './altered-archives.js';
import { createEncrypted, withPassphrase } from './encrypted.js';
import { has } from './foreign-archives.js';
import { systemClock } from '../../src/base/clock.js';
import type { FindingId } from '../../src/manifest/findings.js';

/** Somebody who can write to the storage and does not have the passphrase. */
const site = (content: string): Promise<Instance> =>
  instance({ data: { a: content, b: content.repeat(2), c: 'the same' } }, [directory('data')]);

/** At one time, of one host: all that differs is content and salts. */
async function archiveOf(content: string): Promise<Buffer> {
  const clock = { ...systemClock, now: () => Date.parse('2025-10-30T12:00:00Z') };
  const from = await site(content);
  const { file } = await createEncrypted(from, { level: 0, instance: 'i' }, { clock });
  return readFileSync(file);
}

/** Where an entry's encrypted data lies. */
function dataOf(archive: Buffer, name: string): Buffer {
  for (let at = archive.indexOf('PK\x01\x02'); at !== -1; at = archive.indexOf('PK\x01\x02', at + 4)) {
    const length = archive.readUInt16LE(at + 28);
    if (archive.toString('utf8', at + 46, at + 46 + length) !== name) continue;
    const local = archive.readUInt32LE(at + 42);
    const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    return archive.subarray(start, start + archive.readUInt32LE(at + 20));
  }
  throw new Error(`there is no ${name}`);
}

/** Puts entries of one archive into another one, where they are as long. */
function spliced(into: Buffer, from: Buffer, names: readonly string[]): Buffer {
  const result = Buffer.from(into);
  for (const name of names) {
    const [here, there] = [dataOf(result, name), dataOf(from, name)];
    expect([name, here.length]).toEqual([name, there.length]);
    there.copy(here);
  }
  return result;
}

async function foundIn(archive: Buffer | string): Promise<readonly FindingId[]> {
  let file = archive;
  if (typeof file !== 'string') {
    file = join(temporaryFolder(), 'x.zip');
    writeFileSync(file, archive);
  }
  for (const allowRepacked of [false, true]) {
    const options = { allowRepacked, ...withPassphrase() };
    expect((await failure(restore(file, newTarget(), options))).id).toBe('archive-damaged');
    expect((await verify(file, options)).verdict).toBe('damaged');
  }
  return ids(await verify(file, { allowRepacked: true, ...withPassphrase() }));
}

describe('between two archives of one passphrase', () => {
  it.each([
    [['data/a'], 'checksum-mismatch'],
    [['data/a', 'data/b'], 'checksum-mismatch'],
    [['SHA256SUMS'], 'sums-mismatch'],
    [['manifest.json'], 'sums-mismatch'],
    [['SHA256SUMS', 'manifest.json'], 'checksum-mismatch'],
    [['data/a', 'data/b', 'SHA256SUMS'], 'sums-mismatch'],
  ] as const)('%s cannot be exchanged', async (names, id) => {
    expect(await foundIn(spliced(await archiveOf('first'), await archiveOf('other'), names))).toContain(id);
  });

  it('nor can two entries of one', async () => {
    const archive = await archiveOf('the same');
    const [a, c] = [dataOf(archive, 'data/a'), dataOf(archive, 'data/c')];
    const copy = Buffer.from(a);
    c.copy(a);
    copy.copy(c);
    // The same content under another salt: only as a container it is another.
    const file = join(temporaryFolder(), 'x.zip');
    writeFileSync(file, archive);
    expect(ids(await verify(file, withPassphrase()))).toEqual(['container-altered']);
    const other = await archiveOf('12345678');
    dataOf(other, 'data/a').copy(dataOf(other, 'data/c'));
    expect(await foundIn(other)).toEqual(['container-repacked', 'checksum-mismatch']);
  });
});

describe.skipIf(!has('zip'))('an entry that zip', () => {
  async function altered(...commands: readonly (readonly string[])[]): Promise<string> {
    const folder = temporaryFolder();
    const { file } = await createEncrypted(await site('content'));
    copyFileSync(file, join(folder, 'x.zip'));
    mkdirSync(join(folder, 'data'));
    writeFileSync(join(folder, 'data/a'), 'content');
    writeFileSync(join(folder, 'data/new'), 'in clear');
    writeFileSync(join(folder, 'data/empty'), '');
    writeFileSync(join(folder, 'manifest.json'), '{"version":"1.0.0"}');
    writeFileSync(join(folder, 'SHA256SUMS'), '');
    for (const args of commands) tool('zip', ['-q', ...args], folder);
    rmSync(join(folder, 'data'), { recursive: true });
    return join(folder, 'x.zip');
  }

  it('removed is missed', async () => {
    expect(await foundIn(await altered(['-d', 'x.zip', 'data/a']))).toContain('entry-missing');
  });

  it('added is not among those that are listed', async () => {
    expect(await foundIn(await altered(['x.zip', 'data/new']))).toContain('entry-in-clear');
    expect(await foundIn(await altered(['x.zip', 'data/empty']))).toContain('entry-unlisted');
  });

  it('replaced is not taken in clear, be its content what it was', async () => {
    expect(await foundIn(await altered(['x.zip', 'data/a']))).toContain('entry-in-clear');
  });

  it('replaced proves nothing where it is a proving one', async () => {
    expect(await foundIn(await altered(['x.zip', 'manifest.json']))).toEqual(['entry-in-clear']);
    expect(await foundIn(await altered(['x.zip', 'manifest.json', 'SHA256SUMS']))).toEqual(['entry-in-clear']);
  });
});
