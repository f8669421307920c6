import { checkDatabase, withCopy } from './check.js';
import { readFacts } from './facts.js';
import { sqliteFault } from './fault.js';
import type Database from 'better-sqlite3';
import type { Copy } from './group-copy.js';
import type { CheckResult, DatabaseFacts, WireError } from './protocol.js';

/** What a file was found to be. */
export interface Examination {
  readonly check: CheckResult;
  /** Undefined where they could not be read. */
  readonly facts: DatabaseFacts | undefined;
}

/** What became of a private copy that SQLite had to recover. */
export type Recovery =
  { readonly kind: 'copied'; readonly copy: Copy } | { readonly kind: 'not-copied'; readonly reason: string };

export type ExaminerRequest =
  | { readonly kind: 'examine'; readonly path: string }
  /** Copies a database that nobody else uses, with its sidecars, to where nothing lies. */
  | { readonly kind: 'recover'; readonly path: string; readonly destination: string };

export type ExaminerReply =
  /** Ahead of the result: they are there even where the check does not end. */
  | { readonly kind: 'facts'; readonly facts: DatabaseFacts }
  | { readonly kind: 'examined'; readonly result: Examination }
  | { readonly kind: 'recovered'; readonly result: Recovery }
  | { readonly kind: 'failed'; readonly error: WireError };

/** Checks a database file that nobody else uses. Throws `BkpError` where it cannot be opened or read. */
export function examineFile(path: string, onFacts: (facts: DatabaseFacts) => void): Examination {
  return withCopy(path, (db) => {
    const facts = factsOf(db);
    if (facts !== undefined) onFacts(facts);
    return { check: checkDatabase(db), facts };
  });
}

/** Why they cannot be read, the check tells. */
function factsOf(db: Database.Database): DatabaseFacts | undefined {
  try {
    return readFacts(db);
  } catch (error) {
    if (sqliteFault(error) === undefined) throw error;
    return undefined;
  }
}
