import './ignore-signals.js';
import { systemClock } from '../base/clock.js';
import { never } from '../base/errors.js';
import { defaultCheckBudget, type CheckBudget } from './check-budget.js';
import { DatabaseLocks } from './database-locks.js';
import { Examiner } from './examiner.js';
import { HeldFiles } from './held-files.js';
import { takeLockedSnapshot } from './locked-snapshot.js';
import type { DatabaseSnapshot, Reply, Request } from './protocol.js';
import { changeScheduleTable, readScheduleTable } from './schedule-access.js';
import { takeSnapshot } from './snapshot.js';
import { wireError } from './wire-error.js';

// The only process that has live databases open: the locks of a file belong to a process, not to a connection. It answers one
// request after the other. Its parent is the only one to end it.

const held = new HeldFiles();
const locks = new DatabaseLocks(held, systemClock);
const examiner = new Examiner(budgetOf(process.argv[2]));
let last: Promise<void> = Promise.resolve();

process.on('message', (request: Request) => {
  last = last.then(() => serve(request));
});

process.on('disconnect', dieWithParent);
// The parent may have gone while this was loading: that is told once, and was missed.
if (!process.connected) dieWithParent();

/** What the parent has asked for. */
function budgetOf(argument: string | undefined): CheckBudget {
  return argument === undefined ? defaultCheckBudget : (JSON.parse(argument) as CheckBudget);
}

/** At once, with all locks, whatever is under way: nobody is left to take the result. */
function dieWithParent(): void {
  process.kill(process.pid, 'SIGKILL');
}

async function serve(request: Request): Promise<void> {
  if (request.kind === 'close') {
    locks.closeAll();
    examiner.close();
    process.off('disconnect', dieWithParent);
    process.disconnect();
    return;
  }
  try {
    reply(await answer(request));
  } catch (error) {
    reply({ kind: 'failed', id: request.id, error: wireError(error) });
  }
}

async function answer(request: Exclude<Request, { kind: 'close' }>): Promise<Reply> {
  const { id } = request;
  const deps = {
    held,
    locks,
    examiner,
    clock: systemClock,
    advance: (bytes: number): void => reply({ kind: 'progress', id, bytes }),
    copiesMade: (indexes: readonly number[]): void => reply({ kind: 'copies-made', id, indexes }),
    copyChecked: (index: number, snapshot: DatabaseSnapshot): void =>
      reply({ kind: 'copy-checked', id, index, snapshot }),
  };
  switch (request.kind) {
    case 'check':
      return { kind: 'checked', id, result: (await examiner.examine(request.path)).check };
    case 'snapshot':
      return { kind: 'snapshot-taken', id, result: await takeSnapshot(request.request, deps) };
    case 'lock':
      return { kind: 'locked', id, result: await locks.lock(request.request) };
    case 'snapshot-locked':
      return { kind: 'snapshot-taken', id, result: await takeLockedSnapshot(request.request, deps) };
    case 'lock-staged':
      await locks.lockStaged(request.request);
      return { kind: 'done', id };
    case 'finish-swap':
      await locks.finishSwap(request.request);
      return { kind: 'done', id };
    case 'release':
      return { kind: 'released', id, result: await locks.release(request.request) };
    case 'read-schedules':
      return { kind: 'schedules-read', id, result: await readScheduleTable(request.request, deps) };
    case 'change-schedules':
      return { kind: 'schedules-changed', id, found: await changeScheduleTable(request.request, deps) };
    default:
      return never(request);
  }
}

function reply(message: Reply): void {
  // That the parent is gone is told by 'disconnect'; without a callback it would be thrown here as well.
  process.send?.(message, undefined, undefined, () => undefined);
}
