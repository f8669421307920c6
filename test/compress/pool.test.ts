import { execFile, execFileSync } from 'node:child_process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { BkpError } from '../../src/base/errors.js';
import { JobFailure } from '../../src/compress/compressor.js';
import { CompressPool } from '../../src/compress/pool.js';
import { noise } from '../archive/tar/archives.js';

const run = promisify(execFile);
const pools: CompressPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

/** The threads that Node.js starts from now on. */
const threads: Worker[] = [];
const noticeThread = (worker: Worker): void => void threads.push(worker);
process.on('worker', noticeThread);
afterAll(() => void process.off('worker', noticeThread));

function newPool(width: number): CompressPool {
  threads.splice(0);
  const pool = new CompressPool(width);
  pools.push(pool);
  return pool;
}

const data = (bytes: number, seed = 1): Uint8Array => Uint8Array.from(noise(bytes, seed));
const deflated = (pool: CompressPool, bytes = 1000): Promise<unknown> =>
  pool.run('deflate-block', { data: data(bytes), level: 6, last: true });

describe('CompressPool', () => {
  it('has at least one thread and at most sixteen', () => {
    expect([0, 1, 3, 16, 99].map((width) => newPool(width).width)).toEqual([1, 1, 3, 16, 16]);
  });

  it('starts a thread with the first job, and another only while all are busy', async () => {
    const pool = newPool(3);
    expect(threads).toHaveLength(0);
    await deflated(pool);
    await deflated(pool);
    expect(threads).toHaveLength(1);
    await Promise.all(Array.from({ length: 10 }, () => deflated(pool)));
    expect(threads).toHaveLength(3);
  });

  it('gives each job its own result, whatever order they end in', async () => {
    const pool = newPool(2);
    const sizes = [900_000, 1, 500_000, 0, 70_000, 3];
    const members = await Promise.all(
      sizes.map((bytes, seed) => pool.run('gzip-member', { data: data(bytes, seed), level: 9 })),
    );
    const back = await Promise.all(
      members.map(({ data: member }) => pool.run('gunzip-member', { data: member, maxBytes: 1 << 20 })),
    );
    back.forEach(({ data: content }, index) =>
      expect(Buffer.from(content).equals(noise(sizes[index]!, index))).toBe(true),
    );
  });

  it('transfers a large buffer away instead of copying it', async () => {
    const pool = newPool(1);
    const input = data(200_000);
    await pool.run('deflate-block', { data: input, level: 0, last: true });
    expect(input.buffer.byteLength).toBe(0);
  });

  it('gives results that share memory with nothing', async () => {
    const pool = newPool(1);
    const results = await Promise.all(
      [10, 100_000].map((bytes) => pool.run('deflate-block', { data: data(bytes), level: 6, last: true })),
    );
    for (const { data: bytes } of results) {
      expect(bytes.byteOffset).toBe(0);
      expect(bytes.buffer.byteLength).toBeLessThanOrEqual(2 * bytes.byteLength);
    }
  });

  it('tells a job that failed from a thread that failed, and goes on', async () => {
    const pool = newPool(1);
    const bad = pool.run('inflate-block', { data: data(100), size: 100, last: true });
    await expect(bad).rejects.toBeInstanceOf(JobFailure);
    await expect(deflated(pool)).resolves.toBeDefined();
  });

  it('rejects what is under way and what comes when a thread dies', async () => {
    const pool = newPool(2);
    const jobs = Array.from({ length: 8 }, () => deflated(pool, 1 << 20));
    const outcomes = Promise.allSettled(jobs);
    await nextTurn();
    await threads[0]!.terminate();
    for (const outcome of (await outcomes).filter(({ status }) => status === 'rejected')) {
      expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(BkpError);
      expect((outcome as PromiseRejectedResult).reason).toMatchObject({ id: 'internal' });
    }
    expect((await outcomes).some(({ status }) => status === 'rejected')).toBe(true);
    await expect(deflated(pool)).rejects.toMatchObject({ id: 'internal' });
  });

  it('rejects rather than hangs when a thread ends quietly', async () => {
    const pool = newPool(1);
    const jobs = Promise.allSettled(Array.from({ length: 4 }, () => deflated(pool, 1 << 20)));
    await nextTurn();
    threads[0]!.emit('exit', 0);
    expect((await jobs).map(({ status }) => status)).toContain('rejected');
    await expect(deflated(pool)).rejects.toMatchObject({ id: 'internal' });
  });

  it('rejects what is under way and what comes once it is closed, and closes twice', async () => {
    const pool = newPool(2);
    const jobs = Array.from({ length: 6 }, () => deflated(pool, 1 << 20));
    const outcomes = Promise.allSettled(jobs);
    await pool.close();
    expect((await outcomes).every(({ status }) => status === 'rejected')).toBe(true);
    await expect(deflated(pool)).rejects.toThrow('closed');
    await pool.close();
  });

  it('lets the process end while it is idle, and not before a job is done', async () => {
    const pool = new URL('../../dist/compress/pool.js', import.meta.url).href;
    const script = `
      import { CompressPool } from ${JSON.stringify(pool)};
      const pool = new CompressPool(2);
      const job = () => pool.run('deflate-block', { data: new Uint8Array(1 << 20), level: 9, last: true });
      await job();
      job().then(() => process.stdout.write('done'));
    `;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000 });
    expect(stdout).toBe('done');
  });
});

describe('the blocks of one file', () => {
  const python =
    'import sys, zlib; d = zlib.decompressobj(-15); o = d.decompress(sys.stdin.buffer.read()) + d.flush(); assert d.eof and not d.unused_data; sys.stdout.buffer.write(o)';

  it('joined are one deflate stream for Python too, at every level', async () => {
    const pool = newPool(2);
    const content = Buffer.concat([Buffer.alloc(300_000), noise(500_000), Buffer.from('text '.repeat(90_000))]);
    for (const level of [0, 1, 6, 9]) {
      const pieces = [content.subarray(0, 400_000), content.subarray(400_000, 800_000), content.subarray(800_000)];
      const blocks = await Promise.all(
        pieces.map((piece, index) =>
          pool.run('deflate-block', { data: Uint8Array.from(piece), level, last: index === pieces.length - 1 }),
        ),
      );
      const input = Buffer.concat(blocks.map(({ data: block }) => block));
      const output = execFileSync('python3', ['-c', python], { input, maxBuffer: 1 << 24 });
      expect(output.equals(content)).toBe(true);
    }
  });
});
