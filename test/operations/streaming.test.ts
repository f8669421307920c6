import { appendFileSync, closeSync, openSync, readdirSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ByteSink } from '../../src/base/byte-source.js';
import { BkpError } from '../../src/base/errors.js';
import { blockSize } from '../../src/base/limits.js';
import { silentProgress } from '../../src/base/progress.js';
import { createBackup, type CreateResult } from '../../src/operations/create-backup.js';
import {
  createRequest,
  deps,
  describeTree,
  directory,
  expectRestored,
  failure,
  instance,
  newTarget,
  restore,
  siteCopy,
  verify,
  type Instance,
  type Using,
} from '../helpers/instance.js';
import { temporaryFolder } from '../helpers/surroundings.js';
import { bytes } from '../helpers/tree.js';

const containers = ['zip', 'tar.gz'] as const;
const large = 3 * blockSize + 1;

interface Streamed extends CreateResult {
  /** Where what was streamed was put, so that others can read it. */
  readonly kept: string;
}

/** Streams an instance; what has to lie somewhere meanwhile lies in `temporary`, which must be empty afterwards. */
async function stream(
  from: Instance,
  container: 'zip' | 'tar.gz',
  using: Using = {},
  write: (bytes: Uint8Array) => Promise<void> = () => Promise.resolve(),
): Promise<Streamed> {
  const temporary = temporaryFolder();
  const pieces: Buffer[] = [];
  const sink: ByteSink = {
    write: async (piece) => {
      pieces.push(Buffer.from(piece));
      await write(piece);
    },
  };
  const destination = { kind: 'stream', open: () => sink, file: undefined, storage: from.storage, container } as const;
  try {
    const made = await createBackup(
      { ...createRequest(from), destination },
      deps({ temporaryFolder: temporary, ...using }),
    );
    const kept = join(temporaryFolder(), `kept.${container}`);
    writeFileSync(kept, Buffer.concat(pieces));
    return { ...made, kept };
  } finally {
    expect(readdirSync(temporary)).toEqual([]);
  }
}

/** Does something each time a block of this entry was read. */
function whenRead(path: string, action: () => void, times = 1): Using {
  let left = times;
  const advance = (_: number, seen?: string): void => {
    if (seen === path && left-- > 0) action();
  };
  return { progress: { ...silentProgress, advance } };
}

describe.each(containers)('a backup that is streamed (%s)', (container) => {
  it('is a whole archive that verifies and restores, and leaves nothing behind', async () => {
    const from = siteCopy();
    const before = describeTree(from.root);
    const made = await stream(from, container);
    expect(made).toMatchObject({ complete: true, verified: false, container });
    expect(await verify(made.kept)).toMatchObject({ verdict: 'intact', databases: 2, sha256: made.sha256 });
    // SQLite had a -shm beside a database for a moment.
    expect(describeTree(from.root)).toEqual({ ...before, './var': expect.anything() as unknown });
    expect(readdirSync(join(from.storage.folder, '..'))).toEqual(['site']);
    const target = newTarget();
    await restore(made.kept, target);
    expectRestored(join(target, 'var/uploads'), join(from.root, 'var/uploads'));
  });

  it('takes no lock: it is made while another run holds it', async () => {
    const from = await instance({ data: { a: 'a' } }, [directory('data')]);
    await from.storage.prepare();
    const lock = await from.storage.lock({ holder: 'test', wait: 0, clock: deps().clock });
    try {
      expect((await stream(from, container)).complete).toBe(true);
    } finally {
      lock.release();
    }
  });

  it.each<[string, (file: string) => void]>([
    ['grows', (file) => appendFileSync(file, 'more')],
    ['shrinks', (file) => truncateSync(file, blockSize + 5)],
  ])('holds what was read of a large file that %s, and says so: nothing can be taken back', async (_, action) => {
    const content = bytes(large);
    const from = await instance({ data: { a: content, b: 'after it' } }, [directory('data')]);
    const made = await stream(
      from,
      container,
      whenRead('data/a', () => action(join(from.root, 'data/a'))),
    );
    expect(made.complete).toBe(false);
    expect(made.findings).toMatchObject([{ id: 'file-changed', path: 'data/a' }]);
    expect(made.findings[0]?.message).toContain('zeros where it became shorter');
    expect((await verify(made.kept)).verdict).toBe('incomplete');
    const target = newTarget();
    await restore(made.kept, target);
    const tree = describeTree(join(target, 'data'));
    expect(tree['./b']?.content).toBe(Buffer.from('after it').toString('hex'));
    const held = Buffer.from(tree['./a']?.content ?? '', 'hex');
    expect(held.length).toBe(large);
    expect(held.subarray(0, blockSize).equals(content.subarray(0, blockSize))).toBe(true);
  });

  it('holds zeros for what cannot be read of a large file, and says so', async () => {
    const from = await instance({ data: { a: bytes(large), b: 'after it' } }, [directory('data')]);
    const file = join(from.root, 'data/a');
    // What has its number now is a folder, which cannot be read: as a device that fails.
    const spoil = (): void => {
      const fd = readdirSync('/proc/self/fd').find((name) => linkOf(`/proc/self/fd/${name}`) === file);
      closeSync(Number(fd));
      expect(openSync(from.root, 'r')).toBe(Number(fd));
    };
    const made = await stream(from, container, whenRead('data/a', spoil));
    expect(made.findings).toMatchObject([{ id: 'file-unreadable', path: 'data/a' }]);
    expect(made.findings[0]?.message).toMatch(/EISDIR.*; the rest is zeros/);
    expect((await verify(made.kept)).verdict).toBe('incomplete');
    const target = newTarget();
    await restore(made.kept, target);
    const held = Buffer.from(describeTree(join(target, 'data'))['./a']?.content ?? '', 'hex');
    expect(held.length).toBe(large);
    expect(held.subarray(2 * blockSize).every((byte) => byte === 0)).toBe(true);
  });

  it('ends with the failure of its reader, at the first piece, in the middle and at the last', async () => {
    const from = await instance({ data: { a: bytes(5 * blockSize), b: 'b' } }, [directory('data')]);
    const gone = new BkpError('output-unwritable', 'gone');
    let writes = 0;
    await stream(from, container, {}, async () => void (writes += 1));
    expect(writes).toBeGreaterThan(3);
    for (const at of [0, 2, writes - 1]) {
      let seen = 0;
      const fail = (): Promise<void> => (seen++ === at ? Promise.reject(gone) : Promise.resolve());
      expect(await failure(stream(from, container, {}, fail))).toBe(gone);
    }
  });

  it('reads no further ahead of a slow reader than what compressing needs', async () => {
    const from = await instance({ data: { a: bytes(40 * blockSize) } }, [directory('data')]);
    let read = 0;
    let written = 0;
    let ahead = 0;
    const advance = (count: number): void => void (read += count);
    await stream(from, container, { progress: { ...silentProgress, advance } }, async (piece) => {
      await sleep(5);
      written += piece.length;
      ahead = Math.max(ahead, read - written);
    });
    // Noise does not shrink, so that what is read and not written is held in memory.
    expect(ahead).toBeGreaterThan(0);
    expect(ahead).toBeLessThan(20 * blockSize);
  });

  it.each(['databases-copied', 'source-archived'])(
    'leaves nothing behind where it is interrupted at the step %s',
    async (moment) => {
      const from = siteCopy();
      const controller = new AbortController();
      const reason = new BkpError('interrupted', 'test');
      const step = (id: string): void => (id === moment ? controller.abort(reason) : undefined);
      const using = { signal: controller.signal, step, progress: { ...silentProgress, start: step } };
      expect(await failure(stream(from, container, using))).toBe(reason);
    },
  );
});

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    // The descriptor that lists them is gone by now.
    return undefined;
  }
}
