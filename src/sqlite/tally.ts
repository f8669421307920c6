import type { CheckResult, SqliteNote } from './protocol.js';

/** Different messages kept of each sort; further ones are only counted. */
const maxMessages = 20;

/**
 * Rows of `integrity_check` (texts in SQLite's pragma.c) that are no damage: values that NOT NULL, STRICT or an affinity
 * forbids, CHECK constraints, and numbers that an older SQLite rounded otherwise. All others are structural. CHECK rows do not
 * come up in copies: SQLite leaves CHECK constraints out where it opens a file for reading alone (measured).
 */
const constraintRow =
  /^(?:(?:NULL|TEXT|NUMERIC|non-[A-Z]+) value in |CHECK constraint failed in |index .* stores an imprecise floating-point value )/s;

/** A full-text table that lacks something outside of the file, as opposed to one whose index is malformed (fts3.c, fts5). */
const uncheckableRow = /^unable to validate the inverted index for .*: SQL logic error$/s;

/** What a check found: each message with the number of rows it was about. */
export class Tally {
  readonly #damage = new Map<string, number>();
  readonly #constraints = new Map<string, number>();
  readonly #gaps = new Map<string, number>();

  /** A row of `integrity_check`. */
  addRow(row: string): void {
    if (row === 'ok') return;
    if (uncheckableRow.test(row)) this.addGap(row);
    else count(constraintRow.test(row) ? this.#constraints : this.#damage, row, 1);
  }

  addDamage(message: string): void {
    count(this.#damage, message, 1);
  }

  addConstraint(message: string, rows: number): void {
    count(this.#constraints, message, rows);
  }

  /** Something could not be checked. */
  addGap(reason: string): void {
    count(this.#gaps, reason, 1);
  }

  verdict(): CheckResult {
    if (this.#damage.size > 0) return { kind: 'damaged', messages: listed(this.#damage) };
    const notes = listed(this.#constraints).map((message): SqliteNote => ({ id: 'database-constraint', message }));
    if (this.#gaps.size === 0) return { kind: 'ok', notes };
    const reason = [...this.#gaps.keys()].slice(0, maxMessages).join('; ');
    const unchecked: SqliteNote = { id: 'integrity-unchecked', message: `not wholly checked: ${reason}` };
    return { kind: 'unchecked', reason, notes: [unchecked, ...notes] };
  }
}

function count(map: Map<string, number>, message: string, rows: number): void {
  map.set(message, (map.get(message) ?? 0) + rows);
}

function listed(map: ReadonlyMap<string, number>): string[] {
  const lines = [...map].slice(0, maxMessages).map(([text, rows]) => (rows === 1 ? text : `${text} (${rows} times)`));
  return map.size > maxMessages ? [...lines, `and ${map.size - maxMessages} other messages`] : lines;
}
