import { fork, type ChildProcess } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { entryPoint } from '../base/entry-point.js';
import { BkpError, systemCode } from '../base/errors.js';
import { timeFor, type CheckBudget } from './check-budget.js';
import type { Examination, ExaminerReply, ExaminerRequest, Recovery } from './examination.js';
import type { DatabaseFacts } from './protocol.js';
import { errorFromWire } from './wire-error.js';

type Answer =
  | Exclude<ExaminerReply, { readonly kind: 'facts' | 'failed' }>
  /** Killed: the time was over, or by the system. */
  | { readonly kind: 'ended'; readonly reason: string; readonly facts: DatabaseFacts | undefined };

/**
 * Has databases that nobody else uses read by a process that is killed where that does not end in time. The process is started
 * by the first request and serves all that follow, one after the other.
 */
export class Examiner {
  readonly #budget: CheckBudget;
  #process: ChildProcess | undefined;

  constructor(budget: CheckBudget) {
    this.#budget = budget;
  }

  /** Ahead of the first request, which will come: starting takes as long as many a check. */
  start(): void {
    if (this.#process !== undefined) return;
    this.#process = this.#start();
    this.#process.unref();
    this.#process.channel?.unref();
  }

  /** `unchecked` where the check did not end. Rejects with `BkpError` where the file cannot be opened or read. */
  async examine(path: string): Promise<Examination> {
    const answer = await this.#ask({ kind: 'examine', path }, await sizeOf(path));
    if (answer.kind === 'examined') return answer.result;
    if (answer.kind !== 'ended') throw new Error(`answered an examination with ${answer.kind}`);
    const reason = `the check of its integrity ${answer.reason}`;
    const note = { id: 'integrity-unchecked', message: `not wholly checked: ${reason}` } as const;
    return { check: { kind: 'unchecked', reason, notes: [note] }, facts: answer.facts };
  }

  /** Lets SQLite recover a private copy, and copies the result. Rejects where the destination cannot be written. */
  async recover(path: string, destination: string): Promise<Recovery> {
    const bytes = (await sizeOf(path)) + (await sizeOf(`${path}-wal`)) + (await sizeOf(`${path}-journal`));
    const answer = await this.#ask({ kind: 'recover', path, destination }, bytes);
    if (answer.kind === 'recovered') return answer.result;
    if (answer.kind !== 'ended') throw new Error(`answered a recovery with ${answer.kind}`);
    return { kind: 'not-copied', reason: `reading it ${answer.reason}` };
  }

  /** Ends the process. It writes nothing afterwards that is asked for. */
  close(): void {
    this.#process?.kill('SIGKILL');
  }

  #ask(request: ExaminerRequest, bytes: number): Promise<Answer> {
    const running = (this.#process ??= this.#start());
    running.ref();
    running.channel?.ref();
    const limit = timeFor(this.#budget, bytes);
    return new Promise((resolve, reject) => {
      let facts: DatabaseFacts | undefined;
      let expired = false;
      const timer = setTimeout(() => {
        expired = true;
        running.kill('SIGKILL');
      }, limit);
      const settle = (finish: () => void): void => {
        clearTimeout(timer);
        running.off('message', onMessage).off('close', onClose).off('error', onError);
        running.unref();
        running.channel?.unref();
        finish();
      };
      const onMessage = (reply: ExaminerReply): void => {
        if (reply.kind === 'facts') facts = reply.facts;
        else if (reply.kind === 'failed') settle(() => reject(errorFromWire(reply.error, where)));
        else settle(() => resolve(reply));
      };
      const onClose = (code: number | null, signal: NodeJS.Signals | null): void => {
        if (expired) settle(() => resolve({ kind: 'ended', reason: `took longer than ${seconds(limit)}`, facts }));
        else if (signal !== null) settle(() => resolve({ kind: 'ended', reason: `was ended by ${signal}`, facts }));
        else settle(() => reject(failed(`it ended with code ${code ?? 'unknown'}`)));
      };
      const onError = (error: Error): void => settle(() => reject(failed(error.message, error)));
      running.on('message', onMessage).on('close', onClose).on('error', onError);
      running.send(request, () => undefined);
    });
  }

  #start(): ChildProcess {
    const started = fork(entryPoint('sqlite/examiner-process.js'), [], {
      env: { ...process.env, SQLITE_USE_URI: '1' },
      execArgv: [],
      serialization: 'advanced',
      // Inherited, so that whoever waits for the end of this process's standard error waits for that process too.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const forget = (): void => {
      if (this.#process === started) this.#process = undefined;
    };
    started.on('exit', forget).on('error', forget);
    return started;
  }
}

const where = 'in the process that checks databases';

function failed(what: string, cause?: unknown): BkpError {
  return new BkpError('sqlite-child-failed', `the process that checks databases failed: ${what}`, { cause });
}

/** 0 for what is not there: that is found out again by who opens it. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return 0;
  }
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
