import { dirname } from 'node:path';
import { BkpError, errorText, ioError } from '../base/errors.js';
import { readJournal, type Journal } from './journal.js';
import { systemSwapIo, type SwapIo } from './swap-io.js';
import { SwapMoves } from './swap-moves.js';
import { displaced } from './swap-survey.js';

/**
 * Puts everything that is staged at its place, and what was there aside, as journalled (phase `staged`). Resolves when
 * that is decided and on the disk. On any failure all is moved back: `restore-rolled-back`; where that fails too,
 * `rollback-failed`, and `recoverSwap` is to be called once the cause is mended. Hears no signal: the caller waits for it.
 */
export async function commitSwap(journal: Journal, io: SwapIo = systemSwapIo): Promise<void> {
  if (journal.phase !== 'staged') throw new RangeError(`${journal.file} was begun already`);
  await orRollBack(journal, io, async () => {
    const moves = new SwapMoves(io);
    for (const step of journal.steps) moves.expectPlanned(step);
    await journal.mark('committing', io);
    await goForward(journal, io);
  });
}

/**
 * Ends what a killed process left: forward where the commit had begun, else back; undefined where there is no journal.
 * May itself be killed, and repeated. The phase of the result says how it ended (`committed` or `undone`), `surveySwap` what
 * was found. Where the new state cannot be completed, it goes back to the old one and throws as `commitSwap` does; throws
 * as `readJournal` does, and `swap-impossible` where a file system is missing, before anything is moved.
 */
export async function recoverSwap(folder: string, io: SwapIo = systemSwapIo): Promise<Journal | undefined> {
  const journal = readJournal(folder);
  if (journal === undefined) return undefined;
  switch (journal.phase) {
    case 'committed':
    case 'undone':
      break;
    case 'staged':
      await markUndone(journal, io);
      break;
    case 'committing':
      expectPlaces(journal, io);
      await orRollBack(journal, io, () => goForward(journal, io));
      break;
    case 'undoing':
      expectPlaces(journal, io);
      await rollBack(journal, io, new Error('it was interrupted'));
      break;
  }
  return journal;
}

/** Nothing was moved yet. */
async function markUndone(journal: Journal, io: SwapIo): Promise<void> {
  try {
    await journal.mark('undone', io);
  } catch (error) {
    throw ioError('updating', journal.file, error);
  }
}

async function orRollBack(journal: Journal, io: SwapIo, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (cause) {
    await rollBack(journal, io, cause);
    throw new BkpError('restore-rolled-back', `the restore failed, and all is as it was before: ${errorText(cause)}`, {
      cause,
      hint: 'Mend what that says, then restore again.',
    });
  }
}

async function goForward(journal: Journal, io: SwapIo): Promise<void> {
  const moves = new SwapMoves(io);
  const begun = journal.steps.findLastIndex((step) => moves.hasBegun(step));
  for (const [number, step] of journal.steps.entries()) {
    await moves.forward(step, number, number < begun);
    if (endsGroup(journal, number, number + 1)) await moves.sync();
  }
  for (const step of journal.steps) moves.seal(step, 'forward');
  await journal.mark('committed', io);
}

async function rollBack(journal: Journal, io: SwapIo, cause: unknown): Promise<void> {
  try {
    if (journal.phase === 'staged') return await journal.mark('undone', io);
    if (journal.phase !== 'undoing') await journal.mark('undoing', io);
    const moves = new SwapMoves(io);
    for (const [number, step] of [...journal.steps.entries()].reverse()) {
      await moves.back(step, number);
      if (endsGroup(journal, number, number - 1)) await moves.sync();
    }
    for (const step of journal.steps) moves.seal(step, 'back');
    await journal.mark('undone', io);
  } catch (error) {
    throw rollbackFailed(journal, cause, error);
  }
}

/** Moves in one folder are synced together; those before, before a folder that they changed is itself moved. */
function endsGroup({ steps }: Journal, number: number, next: number): boolean {
  const [here, there] = [steps[number], steps[next]];
  return here === undefined || there === undefined || dirname(here.live) !== dirname(there.live);
}

/** A file system that is not mounted looks as if everything on it were gone. */
function expectPlaces(journal: Journal, io: SwapIo): void {
  for (const place of new Set(journal.steps.map((step) => step.place))) {
    let found;
    try {
      found = io.look(place);
    } catch (error) {
      throw ioError('looking at', place, error);
    }
    if (found?.kind === 'folder') continue;
    throw new BkpError('swap-impossible', `${place}, where an unfinished restore keeps what it moved, is missing`, {
      path: place,
      hint: 'Mount the file system it lies on, then run `bkp restore --recover` again; nothing was moved.',
    });
  }
}

function rollbackFailed(journal: Journal, cause: unknown, error: unknown): BkpError {
  const lines = [
    `the restore failed (${errorText(cause)}), and moving everything back failed too: ${errorText(error)}`,
    ...displaced(journal).map((line) => `  ${line}`),
    `  the journal is ${journal.file}`,
  ];
  return new BkpError('rollback-failed', lines.join('\n'), {
    cause: error,
    path: journal.file,
    hint: 'Nothing was removed. Mend the cause, then run `bkp restore --recover`: it goes on from there.',
  });
}
