import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BkpError, ioError } from '../../src/base/errors.js';
import { systemSwapIo, type SwapIo } from '../../src/fs/swap-io.js';
import { LocalStorage } from '../../src/storage/local-storage.js';
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
    chmod: wrap('chmod', (...given: Parameters<SwapIo['chmod']>) => real.chmod(...given)),
    rename: wrap('rename', (...given: Parameters<SwapIo['rename']>) => real.rename(...given)),
    unlink: wrap('unlink', (...given: Parameters<SwapIo['unlink']>) => real.unlink(...given)),
    makeFolder: wrap('makeFolder', (...given: Parameters<SwapIo['makeFolder']>) => real.makeFolder(...given)),
    syncFolder: wrap('syncFolder', (...given: Parameters<SwapIo['syncFolder']>) => real.syncFolder(...given)),
    writeFile: wrap('writeFile', (...given: Parameters<SwapIo['writeFile']>) => real.writeFile(...given)),
  };
  return { io, failed: () => failed, committing: () => committing };
}

/** Files in every kind of place but databases, for which processes would have to be started each time. */
async function folders(): Promise<{ made: Instance; file: string }> {
  const made = await instance({ pages: { a: 'first', sub: { b: 'first' } }, '.env': 'first', media: { m: 'first' } }, [
    directory('pages', { exclude: ['cache'] }),
    directory('media'),
    files('config', ['.env']),
  ]);
  const inside = { ...made, storage: new LocalStorage(join(made.root, 'media/backups')) };
  const { file } = await create(inside);
  await writeTree(made.root, {
    pages: { a: 'second', cache: { c: 'kept' } },
    '.env': 'second',
    media: { n: 'second' },
  });
  return { made: inside, file };
}

async function databases(): Promise<{ made: Instance; file: string }> {
  const made = await instance({}, [database('app.db')]);
  rewrite(join(made.root, 'app.db'), 'first');
  const { file } = await create(made);
  rewrite(join(made.root, 'app.db'), 'second');
  return { made, file };
}

/** What is there but for the storage; of databases their row. */
const stateOf = (root: string): unknown =>
  Object.entries(describeTree(root))
    .filter(([path]) => !path.startsWith('./media/backups'))
    .map(([path, { type, mode, content }]) => [
      path,
      type,
      mode,
      path.endsWith('.db') ? rowOf(join(root, path)) : content,
    ]);

const codes = ['ENOSPC', 'EIO', 'EACCES', 'EXDEV', 'EBUSY'];

/** Lets the n-th call fail, for each n until none is left, with the codes that `choose` gives; how often it was rolled back. */
async function failEach(
  { made, file }: { made: Instance; file: string },
  choose: (n: number) => readonly string[],
): Promise<number> {
  const before = stateOf(made.root);
  let rolledBack = 0;
  for (let n = 0; ; n++) {
    for (const code of choose(n)) {
      const { io, failed, committing } = failingAt(n, code);
      const outcome = await restoreOver(made, file, { io }).then(
        () => undefined,
        (error: unknown) => error,
      );
      const fault = failed();
      if (fault === undefined) {
        expect(outcome).toBeUndefined();
        return rolledBack;
      }
      if (!(outcome instanceof BkpError)) throw outcome;
      if (committing()) {
        rolledBack += 1;
        expect([outcome.id, outcome.exitCode]).toEqual(['restore-rolled-back', 17]);
        expect(outcome.message).toContain(fault.call);
      }
      expect(outcome.message).toMatch(code === 'ENOSPC' ? /ENOSPC|no space/ : code);
      expect(outcome.message).toContain(fault.path);
      expect(stateOf(made.root)).toEqual(before);
      expect(existsSync(join(made.root, '.bkp-restore'))).toBe(false);
    }
  }
}

describe('whichever call fails, everything is put back, and the call is named', () => {
  // All errors for all calls, and for those that no part of ours makes: bench/fail-restore.mjs.
  const inTurn = (n: number): string => codes[n % codes.length]!;

  it('for folders and files', { timeout: 240_000 }, async () => {
    expect(await failEach(await folders(), (n) => [inTurn(n), inTurn(n + 2)])).toBeGreaterThan(20);
  });

  it('for databases', { timeout: 240_000 }, async () => {
    expect(await failEach(await databases(), (n) => [inTurn(n)])).toBeGreaterThan(3);
  });
});

it('touches nothing where staging finds no space', async ({ skip }) => {
  const folder = tinyFileSystem(600 * 1024);
  if (folder === undefined) return skip();
  const { made, file } = await databases();
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
