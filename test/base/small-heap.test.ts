import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

/** MiB. */
async function peakOf(...module: readonly string[]): Promise<number> {
  const { stdout, stderr } = await run(process.execPath, [join(root, 'test/helpers/heap-churn.mjs'), ...module]);
  expect(stderr).toBe('');
  return Number(stdout);
}

it('lets a heap grow to less than twice what lives in it', async () => {
  const [free, small] = await Promise.all([peakOf(), peakOf(join(root, 'dist/base/small-heap.js'))]);
  expect(free).toBeGreaterThan(150);
  expect(small).toBeLessThan(free * 0.7);
});
