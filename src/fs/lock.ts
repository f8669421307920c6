import type { Database } from 'better-sqlite3';
import { lstatSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { recordedTime, type Clock } from '../base/clock.js';
import { BkpError, ioError, systemCode } from '../base/errors.js';
import { nativeModuleFailure } from '../base/native-module.js';
import { createLockFile, lockFileIdentity } from './lock-file.js';
import { isSameFile } from './file-stat.js';
import { claim, readHolder, type LockHolder } from './lock-holder.js';

export interface LockRequest {
  /** What holds it, for others: `create`, `restore`, … Without it nothing is written, and nobody can be named. */
  readonly holder?: string;
  /** Milliseconds to wait while another process holds it; 0: fail at once. */
  readonly wait: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/** Held until released, or until the process ends, however it ends. */
export interface Lock {
  readonly file: string;
  /** The file was not there before: nobody who died left it. */
  readonly isNew: boolean;
  release(): void;
}

const pollMs = 100;
/** A process that is just taking the lock has not said who it is yet: look again before naming the one before it. */
const settleMs = 200;
/** Others looking who holds it, or taking it at the same moment, are in the way for milliseconds. */
const contentionMs = 1000;

/**
 * Takes the lock that lies in `file`: an SQLite database whose write lock is held. A second one in the same process is
 * refused like any other. Throws `lock-held`, the signal's reason, or `io-failed` where the file cannot be used.
 */
export async function acquireLock(file: string, request: LockRequest): Promise<Lock> {
  const { clock, signal, wait } = request;
  const { default: open } = await import('better-sqlite3');
  const start = clock.monotonic();
  for (let isNew = false; ;) {
    signal?.throwIfAborted();
    isNew = makeSureItExists(file) || isNew;
    const attempt = tryLock(file, request, (path) => new open(path, { timeout: 0, fileMustExist: true }));
    if (attempt.kind === 'locked') return { file, isNew, release: () => void attempt.database.close() };
    const patience = Math.max(wait, attempt.kind === 'held' ? settleMs : contentionMs);
    const left = start + patience - clock.monotonic();
    if (left <= 0) throw lockHeld(file, attempt.kind === 'held' ? attempt.holder : undefined);
    await pause(Math.min(left, attempt.kind === 'held' ? pollMs : pollMs / 10), signal);
  }
}

type Attempt =
  | { readonly kind: 'locked'; readonly database: Database }
  | { readonly kind: 'held'; readonly holder: LockHolder | undefined }
  /** Something is going on that cannot last. */
  | { readonly kind: 'contended' };

function tryLock(file: string, request: LockRequest, open: (file: string) => Database): Attempt {
  let database: Database | undefined;
  let attempt: Attempt = { kind: 'contended' };
  try {
    const opened = lockFileIdentity(file);
    database = open(file);
    attempt = claimOrLook(database, file, request);
    // Removed or replaced since: what we hold is not what others find there.
    if (attempt.kind === 'locked' && !isSameFile(opened, lockFileIdentity(file))) attempt = { kind: 'contended' };
  } catch (error) {
    attempt = { kind: 'contended' };
    if (!isGone(file)) throw unusable(file, error);
  } finally {
    if (attempt.kind !== 'locked') database?.close();
  }
  return attempt;
}

function claimOrLook(database: Database, file: string, { holder, clock }: LockRequest): Attempt {
  switch (claim(database, holder, clock)) {
    case 'claimed':
      return { kind: 'locked', database };
    case 'taken':
      return { kind: 'held', holder: readHolder(database) };
    case 'contended':
      return { kind: 'contended' };
  }
}

/** Gives whether it had to be made. */
function makeSureItExists(file: string): boolean {
  try {
    return createLockFile(file);
  } catch (error) {
    throw unusable(file, error);
  }
}

/** Removed by whoever had it, which is no fault. */
function isGone(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) === undefined;
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

function lockHeld(file: string, holder: LockHolder | undefined): BkpError {
  const who = holder
    ? `${holder.holder} (process ${holder.pid} on ${holder.host}, since ${recordedTime(holder.since)})`
    : 'another run';
  return new BkpError('lock-held', `${file} is held by ${who}`, {
    path: file,
    hint: 'Try again when it has finished, or pass `--lock-wait 10m` to wait for it.',
  });
}

const notALockCodes = /^SQLITE_(NOTADB|CORRUPT|ERROR|MISMATCH|CONSTRAINT)/;

function unusable(file: string, error: unknown): BkpError {
  const notBuilt = nativeModuleFailure(error);
  if (notBuilt !== undefined) return notBuilt;
  if (!notALockCodes.test(systemCode(error) ?? '')) return ioError('locking', file, error);
  return new BkpError('io-failed', `the lock file ${file} is damaged`, {
    cause: error,
    path: file,
    hint: 'Make sure that no other run is at work there, then remove that file: it holds nothing else.',
  });
}
