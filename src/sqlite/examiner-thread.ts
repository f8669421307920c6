import { parentPort } from 'node:worker_threads';
import { systemClock } from '../base/clock.js';
import { never } from '../base/errors.js';
import { inspectDatabase } from './database-file.js';
import { examineFile, type ExaminerReply, type ExaminerRequest, type Recovery } from './examination.js';
import { copyGroup } from './group-copy.js';
import { HeldFiles } from './held-files.js';
import { wireError } from './wire-error.js';

// Reads databases whose contents may be hostile. A call of SQLite that does not end blocks this thread and no other.

parentPort?.on('message', (request: ExaminerRequest) => void serve(request));

async function serve(request: ExaminerRequest): Promise<void> {
  try {
    reply(await answer(request));
  } catch (error) {
    reply({ kind: 'failed', error: wireError(error) });
  }
}

async function answer(request: ExaminerRequest): Promise<ExaminerReply> {
  switch (request.kind) {
    case 'examine':
      return {
        kind: 'examined',
        result: examineFile(request.path, (facts) => reply({ kind: 'facts', facts })),
      };
    case 'recover':
      return { kind: 'recovered', result: await recover(request.path, request.destination) };
    default:
      return never(request);
  }
}

async function recover(path: string, destination: string): Promise<Recovery> {
  const held = new HeldFiles();
  // No super-journal may be left: that would be a file elsewhere.
  const file = await inspectDatabase(path, held, new Set());
  if (file.kind !== 'database') return { kind: 'not-copied', reason: file.reason };
  const deps = { held, clock: systemClock, advance: () => undefined };
  const outcomes = await copyGroup([{ file, destination, optional: false }], { maxPause: 'none' }, deps);
  const outcome = outcomes.get(file);
  if (outcome === undefined) throw new Error(`was not copied: ${path}`);
  return 'copy' in outcome
    ? { kind: 'copied', copy: outcome.copy }
    : { kind: 'not-copied', reason: outcome.failure.reason };
}

function reply(message: ExaminerReply): void {
  parentPort?.postMessage(message);
}
