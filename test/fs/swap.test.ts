import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { BkpError } from '../../src/base/errors.js';
import { readJournal, removeJournal } from '../../src/fs/journal.js';
import { surveySwap } from '../../src/fs/swap-survey.js';
import { commitSwap, recoverSwap } from '../../src/fs/swap.js';
import { systemSwapIo } from '../../src/fs/swap-io.js';
import {
  dyingIo,
  everyKind,
  expectedAfter,
  inventory,
  isChange,
  journalOf,
  phaseOf,
  quickIo,
  singleKinds,
  snapshot,
  sorted,
  survives,
  systemError,
  watchedIo,
  type Call,
  type Scene,
} from './swap-scenes.js';

const codes = ['ENOSPC', 'EIO', 'EACCES', 'EXDEV', 'EBUSY'];

describe('a swap', () => {
  it('puts every kind of thing at its place, and the old ones aside', async () => {
    const made = await everyKind();
    const journal = await journalOf(made);
    const wanted = expectedAfter(made);
    const all = inventory(made.root);
    await commitSwap(journal);
    expect(journal.phase).toBe('committed');
    expect(sorted(snapshot(made.root))).toEqual(sorted(wanted));
    expect(inventory(made.root)).toEqual(all);
    expect(surveySwap(journal)).toEqual([]);
    await removeJournal(journal);
    expect(readJournal(made.folder)).toBeUndefined();
    expect(await recoverSwap(made.folder)).toBeUndefined();
  });

  it('never leaves a live database without a file, and is on the disk at each step', async () => {
    const made = await everyKind();
    const database = `${made.root}/var/system.brain`;
    const journal = await journalOf(made);
    const calls: string[] = [];
    const io = watchedIo((_, call, path) => {
      expect(systemSwapIo.look(database)).toBeDefined();
      if (call !== 'look') calls.push(`${call} ${path.slice(made.root.length)}`);
    });
    await commitSwap(journal, io);
    expect(calls.slice(0, 7)).toEqual([
      'rename /.bkp-restore/journal.staged.json',
      'syncFolder /.bkp-restore',
      'link /var/system.brain',
      'syncFolder /.bkp-restore/swap-1/aside/0',
      'rename /.bkp-restore/new/system.brain',
      'syncFolder /.bkp-restore/new',
      'syncFolder /var',
    ]);
    expect(calls.slice(-2)).toEqual(['rename /.bkp-restore/journal.committing.json', 'syncFolder /.bkp-restore']);
  });

  it('does not begin when something was changed since it was planned', async () => {
    const made = await everyKind();
    const journal = await journalOf(made);
    writeFileSync(`${made.root}/var/system.brain`, 'written at the last moment');
    const before = snapshot(made.root);
    await expect(commitSwap(journal)).rejects.toMatchObject({ id: 'restore-rolled-back', exitCode: 17 });
    expect(snapshot(made.root)).toEqual(before);
    expect(phaseOf(made)).toBe('undone');
    await expect(commitSwap(journal)).rejects.toThrow(RangeError);
  });
});

it('carries what changed, or is gone, since it was planned', async () => {
  const made = await everyKind();
  const journal = await journalOf(made);
  rmSync(`${made.root}/var/uploads/cache`, { recursive: true });
  writeFileSync(`${made.root}/var/uploads/deep/er/kept`, 'changed');
  await commitSwap(journal);
  expect(readFileSync(`${made.root}/var/uploads/deep/er/kept`, 'utf8')).toBe('changed');
  expect(surveySwap(journal)).toEqual([{ kind: 'gone', live: `${made.root}/var/uploads/cache` }]);
});

describe('a swap of which one call fails', () => {
  it('is as it was before, whichever call it is', async () => {
    for (let n = 0; ; n++) {
      const code = codes[n % codes.length]!;
      const made = await everyKind();
      const journal = await journalOf(made);
      const before = snapshot(made.root);
      const all = inventory(made.root);
      let failed = '';
      const io = watchedIo((number, call, path) => {
        if (number !== n) return;
        failed = `${call} '${path}'`;
        throw systemError(code, call, path);
      });
      const attempt = commitSwap(journal, io);
      if ((await settled(attempt)) && failed === '') break;
      await expect(attempt).rejects.toMatchObject({ id: 'restore-rolled-back', exitCode: 17 });
      await expect(attempt).rejects.toThrow(failed);
      expect(sorted(snapshot(made.root))).toEqual(sorted(before));
      expect(inventory(made.root)).toEqual(all);
      expect(journal.phase).toBe('undone');
      expect(surveySwap(journal)).toEqual([]);
    }
  });

  it('says what lies where when moving back fails too, and can be recovered once that is mended', async () => {
    for (let n = 0; ; n++) {
      const made = await everyKind();
      const journal = await journalOf(made);
      const wanted = expectedAfter(made);
      const before = snapshot(made.root);
      const all = inventory(made.root);
      const { io, died } = dyingIo(n);
      const attempt = commitSwap(journal, io);
      if (await survives(attempt, died)) break;
      await expect(attempt).rejects.toMatchObject({ id: 'rollback-failed', exitCode: 18, path: journal.file });
      await expect(attempt).rejects.toThrow(journal.file);
      const recovered = await recoverSwap(made.folder, quickIo);
      expect(recovered?.phase).toBe(n === 0 ? 'undone' : 'committed');
      expect(sorted(snapshot(made.root))).toEqual(sorted(n === 0 ? before : wanted));
      expect(inventory(made.root)).toEqual(all);
    }
  });

  it('names both copies of what it could not move back', async () => {
    const made = await everyKind();
    const journal = await journalOf(made);
    const io = watchedIo((_, call, path) => {
      if (call === 'rename' && (path.endsWith('new/snapshots') || path.includes('aside/3')))
        throw systemError('EIO', call, path);
    });
    await expect(commitSwap(journal, io)).rejects.toMatchObject({ id: 'rollback-failed', message: lines(made) });
    expect(phaseOf(made)).toBe('undoing');
    expect((await recoverSwap(made.folder))?.phase).toBe('undone');
  });
});

function lines({ root, folder }: Scene): unknown {
  const at = `${root}/var/uploads holds nothing; what lay there is ${folder}/swap-1/aside/3/uploads; the restored one`;
  return expect.stringContaining(at) as unknown;
}

async function settled(attempt: Promise<unknown>): Promise<boolean> {
  return attempt.then(
    () => true,
    () => false,
  );
}

describe('a swap that is killed', () => {
  it('before any change: recovering it gives the old state or the new, and all that was there', async () => {
    for (let n = 0; ; n++) {
      const run = await prepared();
      const { io, died } = dyingIo(n);
      if (await survives(commitSwap(run.journal, io), died)) break;
      const { phase } = readJournal(run.made.folder)!;
      await recoverSwap(run.made.folder, quickIo);
      expectState(run, phase === 'committing' ? 'new' : 'old');
      await recoverSwap(run.made.folder, quickIo);
      expectState(run, phase === 'committing' ? 'new' : 'old');
    }
  });

  it('while it moves back: the old state', async () => {
    const calls = await callsOf(everyKind);
    const last = calls.lastIndexOf('rename') - 1;
    for (let n = 0; ; n++) {
      const run = await prepared();
      const { io, died } = dyingIo(n, last);
      if (
        await survives(expect(commitSwap(run.journal, io)).rejects.toMatchObject({ exitCode: died() ? 18 : 17 }), died)
      )
        break;
      const { phase } = readJournal(run.made.folder)!;
      await recoverSwap(run.made.folder, quickIo);
      expectState(run, phase === 'committing' ? 'new' : 'old');
    }
  });

  it('and killed again while it is recovered', async () => {
    for (const small of singleKinds) {
      const changes = (await callsOf(small)).filter(isChange).length;
      for (let n = 0; n < changes; n++) {
        for (let m = 0; !(await isRecoveredDespite(small, n, m)); m++);
      }
    }
  });
});

/** Killed at change n of the commit and at change m of the recovery; whether that ended before. */
async function isRecoveredDespite(make: () => Promise<Scene>, n: number, m: number): Promise<boolean> {
  const run = await prepared(make);
  const first = dyingIo(n);
  expect(await survives(commitSwap(run.journal, first.io), first.died)).toBe(false);
  const state = phaseOf(run.made) === 'committing' ? 'new' : 'old';
  const second = dyingIo(m);
  const isDone = await survives(recoverSwap(run.made.folder, second.io), second.died);
  if (!isDone) await recoverSwap(run.made.folder, quickIo);
  expectState(run, state);
  return isDone;
}

describe('a recovery of which one call fails', () => {
  it('ends in the old state where that can be reached, and else can be repeated', async () => {
    const last = (await callsOf(everyKind)).filter(isChange).length - 1;
    for (let n = 0; ; n++) {
      const run = await prepared();
      const first = dyingIo(Math.floor(last / 2));
      await survives(commitSwap(run.journal, first.io), first.died);
      let calls = 0;
      const io = watchedIo((number, call, path) => {
        calls = number + 1;
        if (number === n) throw systemError('EIO', call, path);
      });
      const attempt = recoverSwap(run.made.folder, io);
      if ((await settled(attempt)) && calls <= n) break;
      const error = await attempt.catch((caught: unknown) => caught);
      if ((error as BkpError).id === 'restore-rolled-back') expectState(run, 'old');
      else {
        expect(error).toMatchObject({ id: 'io-failed' });
        await recoverSwap(run.made.folder, quickIo);
        expectState(run, 'new');
      }
    }
  });
});

interface Prepared {
  readonly made: Scene;
  readonly journal: Awaited<ReturnType<typeof journalOf>>;
  readonly before: ReturnType<typeof snapshot>;
  readonly wanted: ReturnType<typeof snapshot>;
  readonly all: ReadonlySet<string>;
}

async function prepared(make: () => Promise<Scene> = everyKind): Promise<Prepared> {
  const made = await make();
  const journal = await journalOf(made);
  const before = snapshot(made.root);
  return { made, journal, before, wanted: expectedAfter(made), all: inventory(made.root) };
}

function expectState({ made, before, wanted, all }: Prepared, state: 'old' | 'new'): void {
  const journal = readJournal(made.folder)!;
  expect(journal.phase).toBe(state === 'new' ? 'committed' : 'undone');
  expect(sorted(snapshot(made.root))).toEqual(sorted(state === 'new' ? wanted : before));
  expect(inventory(made.root)).toEqual(all);
  expect(surveySwap(journal)).toEqual([]);
}

async function callsOf(make: () => Promise<Scene>): Promise<readonly Call[]> {
  const calls: Call[] = [];
  const { journal } = await prepared(make);
  await commitSwap(
    journal,
    watchedIo((_, call) => calls.push(call)),
  );
  return calls;
}
