import { BkpError, errorText } from '../../base/errors.js';
import { nativeModuleFailure } from '../../base/native-module.js';
import { fail, ok, type Check, type Outcome } from './check.js';

/** The native module is loaded, which an upgrade of Node.js may prevent; a database in memory shows that it works. */
export const sqliteModule: Check<unknown> = { id: 'sqlite-module', run: async () => [await load()] };

async function load(): Promise<Outcome> {
  try {
    const { default: Database } = await import('better-sqlite3');
    const db = new Database(':memory:');
    try {
      return ok(`SQLite ${String(db.prepare('SELECT sqlite_version()').pluck().get())}`);
    } finally {
      db.close();
    }
  } catch (error) {
    const failure = nativeModuleFailure(error) ?? new BkpError('module-not-built', errorText(error));
    return fail(failure.message, failure.hint ?? 'Install bkp again.');
  }
}
