import { spawn } from 'node:child_process';
import { appendFileSync, renameSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  create,
  describeTree,
  directory,
  expectRestored,
  instance,
  newTarget,
  restore,
  verify,
  type Using,
} from '../helpers/instance.js';
import { bytes } from '../helpers/tree.js';
import { expectLosses } from './losses.js';
import { silentProgress } from '../../src/base/progress.js';
import { blockSize } from '../../src/base/limits.js';

const containers = ['zip', 'tar.gz'] as const;
const large = 3 * blockSize + 1;

/** Does something when this entry, or a block of it, was read: in the middle of a run, at the same place each time. */
function whenRead(path: string, action: () => void, times = 1): Using {
  let left = times;
  const advance = (_: number, seen?: string): void => {
    if (seen === path && left-- > 0) action();
  };
  return { progress: { ...silentProgress, advance } };
}

/** Another process that does this to a file, over and over; resolves when it has begun. */
async function keepDoing(file: string, code: string): Promise<void> {
  const script = `const fs = require('fs'); const file = process.argv[1]; const fd = fs.openSync(file, 'r+');
    let n = 0; const size = fs.fstatSync(fd).size;
    const step = () => { for (let i = 0; i < 200; i++) { n++; ${code} } setImmediate(step); };
    step(); console.log('ready');`;
  const writer = spawn(process.execPath, ['-e', script, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void writer.kill('SIGKILL'));
  await new Promise((resolve) => writer.stdout.once('data', resolve));
}

describe.each(containers)('a file that is not left alone, in a %s', (container) => {
  it('has vanished when it is its turn', async () => {
    const from = await instance({ data: { a: '', b: 'small', c: bytes(large), d: '' } }, [directory('data')]);
    const gone = whenRead('data/a', () => ['b', 'c'].forEach((name) => rmSync(join(from.root, 'data', name))));
    const target = await expectLosses(
      await create(from, { container }, gone),
      'file-vanished data/b',
      'file-vanished data/c',
    );
    expect(Object.keys(describeTree(target))).toEqual(['.', './data', './data/a', './data/d']);
  });

  it('is taken as it is after one change while it was read', async () => {
    const from = await instance({ data: { a: bytes(large), b: '' } }, [directory('data')]);
    const changed = bytes(large + 5, 2);
    const once = whenRead('data/a', () => writeFileSync(join(from.root, 'data/a'), changed));
    const made = await create(from, { container }, once);
    expect(made).toMatchObject({ complete: true, findings: [] });
    const target = newTarget();
    await restore(made.file, target);
    expectRestored(join(target, 'data'), join(from.root, 'data'));
  });

  it('is taken when another one was renamed over it', async () => {
    const from = await instance(
      { data: { a: '', b: 'old', c: bytes(large) }, new: { b: 'new one', c: bytes(large + 9, 3) } },
      [directory('data')],
    );
    const replaced = whenRead('data/a', () => {
      for (const name of ['b', 'c']) renameSync(join(from.root, 'new', name), join(from.root, 'data', name));
    });
    const made = await create(from, { container }, replaced);
    expect(made.findings).toEqual([]);
    const target = newTarget();
    await restore(made.file, target);
    const [found, wanted] = [describeTree(join(target, 'data')), describeTree(join(from.root, 'data'))];
    for (const name of ['./b', './c']) expect(found[name]?.content).toBe(wanted[name]?.content);
  });

  it.each<[string, (file: string) => void]>([
    ['grows', (file) => appendFileSync(file, 'more')],
    ['shrinks', (file) => truncateSync(file, statSync(file).size - 1)],
    ['is touched', (file) => utimesSync(file, Math.random(), Math.random())],
  ])('is a loss where it %s each time it is read', async (_, action) => {
    const from = await instance({ data: { a: bytes(large), b: 'after it' } }, [directory('data')]);
    const again = whenRead('data/a', () => action(join(from.root, 'data/a')), 99);
    const target = await expectLosses(await create(from, { container }, again), 'file-changed data/a');
    expect(describeTree(target)['./data/b']?.content).toBe(Buffer.from('after it').toString('hex'));
  });

  it('is read whole where it became a small one', async () => {
    const from = await instance({ data: { a: bytes(large) } }, [directory('data')]);
    const once = whenRead('data/a', () => truncateSync(join(from.root, 'data/a'), 7));
    const made = await create(from, { container }, once);
    expect(made).toMatchObject({ findings: [], manifest: { totals: { bytes: 7 } } });
    expect((await verify(made.file)).verdict).toBe('intact');
  });

  it.each([
    ['small', 900_000],
    ['large', large],
  ])('is a loss where another process writes to it all the time (%s)', async (_, size) => {
    const from = await instance({ data: { a: bytes(size), b: 'after it' } }, [directory('data')]);
    const file = join(from.root, 'data/a');
    // Longer and shorter again: times alone have the grain of the kernel's clock.
    await keepDoing(file, 'fs.ftruncateSync(fd, size + (n % 1000));');
    for (let attempt = 0; attempt < 100; attempt++) {
      const made = await create(from, { container });
      expect((await verify(made.file)).verdict).toBe(made.complete ? 'intact' : 'incomplete');
      // On a busy machine the writer may have been asleep just then.
      if (made.complete) continue;
      const target = await expectLosses(made, 'file-changed data/a');
      return expect(Object.keys(describeTree(target))).toEqual(['.', './data', './data/a', './data/b']);
    }
    throw new Error('it never changed while it was read');
  });
});
