import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BkpError, ioError } from '../../src/base/errors.js';
import { systemSwapIo, type SwapIo } from '../../src/fs/swap-io.js';
import {
  create,
  database,
  describeTree,
  directory,
  failure,
  files,
  instance,
  type Instance,
} from '../helpers/instance.js';
import { restoreOver } from '../helpers/in-place.js';
import { rewrite, rowOf } from '../helpers/in-place-database.js';
import { tinyFileSystem } from '../helpers/surroundings.js';
import { writeTree } from '../helpers/tree.js';

interface Failing {
  readonly io: SwapIo;
  /** The call that failed, and its file. */
  readonly failed: () => { readonly call: string; readonly path: string } | undefined;
  /** Whether the commit had begun. */
  readonly committing: () => boolean;
}

function failingAt(n: number, code: string): Failing {
  let calls = 0;
  let failed: { call: string; path: string } | undefined;
  let committing = false;
  const wrap = <A extends [string, ...unknown[]], R>(call: string, action: (...args: A) => R) => {
    return (...args: A): R => {
      if (calls++ === n) {
        failed = { call, path: args[0] };
        const fault = Object.assign(new Error(`${code}: ${call} '${args[0]}'`), { code, syscall: call, path: args[0] });
        // These two give the system's error in the project's own.
        throw call === 'syncFolder' || call === 'writeFile' ? ioError(call, args[0], fault) : fault;
      }
      const done = action(...args);
      if (String(args[1]).endsWith('journal.committing.json')) committing = true;
      return done;
    };
  };
  const real = systemSwapIo;
  const io: SwapIo = {
    ...systemSwapIo,
    link: wrap('link', (...given: Parameters<SwapIo['link']>) => real.link(...given)),
    rename: wrap('rename', (...given: Parameters<SwapIo['rename']>) => real.rename(...given)),
    unlink: wrap('unlink', (...given: Parameters<SwapIo['unlink']>) => real.unlink(...given)),
    makeFolder: wrap('makeFolder', (...given: Parameters<SwapIo['makeFolder']>) => real.makeFolder(...given)),
    syncFolder: wrap('syncFolder', (...given: Parameters<SwapIo['syncFolder']>) => real.syncFolder(...given)),
    writeFile: wrap('writeFile', (...given: Parameters<SwapIo['writeFile']>) => real.writeFile(...given)),
  };
  return { io, failed: () => failed, committing: () => committing };
}

async function small(): Promise<{ made: Instance; file: string }> {
  const made = await instance({ pages: { a: 'first', sub: { b: 'first' } }, '.env': 'first' }, [
    database('app.db'),
    directory('pages'),
    files('config', ['.env']),
  ]);
  rewrite(join(made.root, 'app.db'), 'first');
  const { file } = await create(made);
  rewrite(join(made.root, 'app.db'), 'second');
  return { made, file };
}

const withoutTimes = (root: string): unknown =>
  Object.entries(describeTree(root)).map(([path, { type, mode, content }]) => [
    path,
    type,
    mode,
    path.endsWith('.db') ? '' : content,
  ]);

const codes = ['ENOSPC', 'EIO', 'EACCES', 'EXDEV', 'EBUSY'];

it('puts everything back whichever call fails, and says which', async () => {
  const { made, file } = await small();
  const before = withoutTimes(made.root);
  let rolledBack = 0;
  for (let n = 0; ; n++) {
    const code = codes[n % codes.length]!;
    const { io, failed, committing } = failingAt(n, code);
    const attempt = restoreOver(made, file, { io, safetyBackup: false });
    if (n > 500) throw new Error('it never succeeded');
    const outcome = await attempt.then(
      () => undefined,
      (error: unknown) => error,
    );
    const fault = failed();
    if (fault === undefined) {
      expect(outcome).toBeUndefined();
      break;
    }
    if (!(outcome instanceof BkpError)) throw outcome;
    const error = outcome;
    if (committing()) {
      rolledBack += 1;
      expect([error.id, error.exitCode]).toEqual(['restore-rolled-back', 17]);
      expect(error.message).toContain(fault.call);
    }
    expect(error.message).toMatch(code === 'ENOSPC' ? /ENOSPC|no space/ : code);
    expect(error.message).toContain(fault.path);
    expect(rowOf(join(made.root, 'app.db'))).toBe('second');
    expect(withoutTimes(made.root)).toEqual(before);
    expect(existsSync(join(made.root, '.bkp-restore'))).toBe(false);
  }
  expect(rolledBack).toBeGreaterThan(3);
  expect(rowOf(join(made.root, 'app.db'))).toBe('first');
}, 240_000);

it('touches nothing where staging finds no space', async ({ skip }) => {
  const folder = tinyFileSystem(600 * 1024);
  if (folder === undefined) return skip();
  const { made, file } = await small();
  const source = { ...directory('big'), path: join(made.root, 'big') };
  const from = await instance({ big: { a: Buffer.alloc(400 * 1024, 1) } }, [directory('big')]);
  const whole = await create(from);
  const to = { root: folder, sources: [{ ...source, path: join(folder, 'big') }], storage: made.storage };
  await writeTree(folder, { big: { a: Buffer.alloc(300 * 1024, 2) } });
  const before = describeTree(join(folder, 'big'));
  const error = await failure(restoreOver(to, whole.file));
  expect(error.exitCode).toBe(13);
  expect(describeTree(join(folder, 'big'))).toEqual(before);
  expect(existsSync(join(folder, '.bkp-restore'))).toBe(false);
  expect(existsSync(file)).toBe(true);
});
