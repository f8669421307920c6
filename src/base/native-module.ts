import { BkpError, errorText, systemCode } from './errors.js';

/**
 * The failure of a native module that was never built, or was built for another Node.js (after an upgrade), as an expected
 * one; undefined for any other error.
 */
export function nativeModuleFailure(error: unknown): BkpError | undefined {
  const neverBuilt = errorText(error).startsWith('Could not locate the bindings file');
  if (!neverBuilt && systemCode(error) !== 'ERR_DLOPEN_FAILED') return undefined;
  const why = neverBuilt ? 'it was never built' : 'it was built for another version of Node.js';
  return new BkpError('module-not-built', `the SQLite module (better-sqlite3) cannot be loaded: ${why}`, {
    cause: error,
    hint: 'Run `npm rebuild better-sqlite3` where bkp is installed (it needs python3, make and g++), or install bkp again.',
  });
}
