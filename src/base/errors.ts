import { isAbsolute } from 'node:path';
import { formatBytes } from './amounts.js';
import { errorTable, type ErrorId } from './error-table.js';
import { exitCodes, type ExitCode } from './exit-codes.js';
import { freeSpace, isOutOfInodes } from './free-space.js';

export interface ErrorDetails {
  /** What to do next, as a sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** The file it is about, for `--json`. */
  readonly path?: string;
}

/** An expected failure: what happened, to which file, what to do next. Anything else that is thrown is a bug. */
export class BkpError extends Error {
  override readonly name = 'BkpError';
  readonly id: ErrorId;
  readonly hint: string | undefined;
  readonly path: string | undefined;

  constructor(id: ErrorId, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.id = id;
    this.hint = details.hint;
    this.path = details.path;
  }

  get exitCode(): ExitCode {
    return exitCodes[errorTable[this.id]];
  }
}

/** The `code` of a Node.js system error (`ENOENT`, …), if it is one. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** An error's text without its stack, whatever was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const spaceCodes = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL']);

/** A system error while doing something with a file, as an expected failure: a full disk gets its own exit code. */
export function ioError(doing: string, path: string, error: unknown, id: ErrorId = 'io-failed'): BkpError {
  if (error instanceof BkpError) return error;
  const details = { cause: error, path };
  if (spaceCodes.has(systemCode(error) ?? '')) {
    return new BkpError('no-space', `no space left while ${doing} ${path}${leftThere(path, systemCode(error))}`, {
      ...details,
      hint: 'Free some space there, or choose another place; nothing that existed was changed.',
    });
  }
  return new BkpError(id, `failed while ${doing} ${path}: ${reasonText(error)}`, details);
}

/** What a full disk has left, as far as it tells. */
function leftThere(path: string, code: string | undefined): string {
  if (code === 'EDQUOT') return ': the quota of this user is used up';
  if (!isAbsolute(path)) return '';
  if (isOutOfInodes(path)) return ': there is no inode left for a new file';
  const free = freeSpace(path);
  return free === undefined ? '' : `: ${formatBytes(free)} free there`;
}

/** SQLite tells only by its code which call failed (`SQLITE_IOERR_FSYNC`). */
function reasonText(error: unknown): string {
  const code = systemCode(error);
  return code?.startsWith('SQLITE_') === true ? `${errorText(error)} (${code})` : errorText(error);
}

/** What a system call that nobody wrapped threw, as an expected failure; undefined for anything else. */
export function systemFailure(error: unknown): BkpError | undefined {
  if (systemCode(error) === undefined || !(error instanceof Error && 'syscall' in error)) return undefined;
  const path = 'path' in error && typeof error.path === 'string' ? error.path : '';
  return ioError('working with', path === '' ? 'a file' : path, error);
}

/** For the end of a switch over a union: does not compile while a member is unhandled. */
export function never(value: never): never {
  throw new TypeError(`unhandled: ${JSON.stringify(value)}`);
}
