import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  create,
  database,
  directory,
  failure,
  instance,
  newTarget,
  restore,
  stored,
  verify,
  type Instance,
} from '../helpers/instance.js';
import { temporaryFolder } from '../helpers/surroundings.js';
import { rounds } from '../helpers/rounds.js';
import { bytes } from '../helpers/tree.js';
import { makeDatabase } from '../sqlite/databases.js';
import { BkpError } from '../../src/base/errors.js';
import { silentProgress } from '../../src/base/progress.js';

const containers = ['zip', 'tar.gz'] as const;
const interrupted = new BkpError('interrupted', 'interrupted');

async function busyInstance(): Promise<Instance> {
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`f${n}`, bytes(n * 10, n)]));
  const from = await instance({ data: { ...many, large: bytes(5_000_000) } }, [database('a.db'), directory('data')]);
  makeDatabase(join(from.root, 'a.db'), 'CREATE TABLE t (b BLOB)', 'INSERT INTO t VALUES (randomblob(2000000))');
  return from;
}

describe.each(containers)('a backup that is interrupted, as %s', (container) => {
  it('leaves nothing behind, whenever that is, and the next one is made', { timeout: 120_000 }, async () => {
    const from = await busyInstance();
    const older = await create(from, { container });
    const before = [...stored(from)];
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 600 }), async (milliseconds) => {
        const controller = new AbortController();
        const run = create(from, { container }, { signal: controller.signal, pool: 'own' });
        const settled = run.then(
          (made) => made,
          (error: unknown) => error,
        );
        await delay(milliseconds);
        controller.abort(interrupted);
        const end = await settled;
        if (end instanceof BkpError) {
          expect([end.id, end.exitCode]).toEqual(['interrupted', 130]);
          expect(stored(from)).toEqual(before);
        } else {
          // It was quicker; the next run then begins with one backup more.
          before.push(...stored(from).filter((name) => !before.includes(name)));
        }
      }),
      { numRuns: rounds(4, 15), endOnFailure: true },
    );
    expect((await verify(older.file)).verdict).toBe('intact');
    expect((await verify((await create(from, { container })).file)).verdict).toBe('intact');
  });

  it.each(['databases', 'databases-copied', 'scan', 'archive', 'source-archived', 'read-back'])(
    'leaves nothing behind at the step %s',
    async (moment) => {
      const from = await busyInstance();
      const controller = new AbortController();
      const step = (id: string): void => (id === moment ? controller.abort(interrupted) : undefined);
      const using = { signal: controller.signal, step, progress: { ...silentProgress, start: step } };
      expect((await failure(create(from, { container }, using))).id).toBe('interrupted');
      expect(stored(from)).toEqual([]);
      const output = join(temporaryFolder(), 'out');
      const second = new AbortController();
      second.abort(interrupted);
      expect((await failure(create(from, { container, output }, { signal: second.signal }))).id).toBe('interrupted');
      expect(readdirSync(join(output, '..'))).toEqual([]);
    },
  );
});

describe.each(containers)('a restore or a verification that is interrupted (%s)', (container) => {
  it('leaves nothing behind', async () => {
    const from = await busyInstance();
    const { file } = await create(from, { container });
    const temporary = temporaryFolder();
    for (const moment of ['verify', 'stage', 'check']) {
      const controller = new AbortController();
      const start = (phase: string): void => (phase === moment ? controller.abort(interrupted) : undefined);
      const using = { signal: controller.signal, temporaryFolder: temporary, progress: { ...silentProgress, start } };
      const target = join(newTarget(), 'deep/er');
      expect((await failure(restore(file, target, {}, using))).id).toBe('interrupted');
      expect(existsSync(join(target, '../..'))).toBe(false);
      expect(readdirSync(join(target, '../../..'))).toEqual([]);
    }
    const controller = new AbortController();
    const advance = (): void => controller.abort(interrupted);
    const using = { signal: controller.signal, temporaryFolder: temporary, progress: { ...silentProgress, advance } };
    expect((await failure(verify(file, {}, using))).id).toBe('interrupted');
    expect(readdirSync(temporary)).toEqual([]);
  });
});
