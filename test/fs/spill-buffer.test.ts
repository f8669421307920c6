import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SpillBuffer } from '../../src/fs/spill-buffer.js';
import { temporaryFolder as folder } from '../helpers/surroundings.js';

const MiB = 1024 * 1024;

async function all(spill: SpillBuffer): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of spill.read()) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('a buffer that spills', () => {
  for (const [what, sizes] of Object.entries({
    'nothing at all': [],
    'a few bytes': [1, 0, 2, 300],
    'a piece to the last byte': [MiB],
    'what is kept in memory, to the last byte': [8 * MiB],
    'one byte more': [8 * MiB, 1],
    'far more than fits into memory': [3 * MiB + 5, 9 * MiB, 1, 17, 6 * MiB, 700],
  })) {
    it(`gives back ${what}, as often as it is asked`, async () => {
      const scratch = folder();
      const spill = new SpillBuffer(scratch);
      const added = sizes.map((size) => randomBytes(size));
      for (const one of added) await spill.add(one);
      const whole = Buffer.concat(added);
      expect(spill.length).toBe(whole.length);
      for (let round = 0; round < 2; round += 1) expect((await all(spill)).equals(whole)).toBe(true);
      await spill.add(Buffer.from('more'));
      expect((await all(spill)).equals(Buffer.concat([whole, Buffer.from('more')]))).toBe(true);
      // What it writes has no name.
      expect(readdirSync(scratch)).toEqual([]);
      await spill.close();
    });
  }

  it('keeps what it was given, whatever becomes of that memory', async () => {
    const spill = new SpillBuffer(folder());
    const record = Buffer.from('record');
    await spill.add(record);
    record.fill(0);
    for await (const piece of spill.read()) piece.fill(0);
    expect((await all(spill)).toString()).toBe('record');
    await spill.close();
  });

  it('says which folder it cannot write to', async () => {
    const scratch = join(folder(), 'gone');
    mkdirSync(scratch);
    const spill = new SpillBuffer(scratch);
    rmSync(scratch, { recursive: true });
    await expect(spill.add(randomBytes(8 * MiB + 1))).rejects.toThrow(scratch);
    await spill.close();
  });
});
