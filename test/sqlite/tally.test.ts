import { describe, expect, it } from 'vitest';
import { Tally } from '../../src/sqlite/tally.js';

function verdictOf(...rows: readonly string[]): string {
  const tally = new Tally();
  for (const row of rows) tally.addRow(row);
  return tally.verdict().kind;
}

describe('the rows of an integrity check', () => {
  it.each([
    'NULL value in t.a',
    'TEXT value in t.a',
    'NUMERIC value in t.a',
    'non-INT value in t.a',
    'CHECK constraint failed in t',
    'index i stores an imprecise floating-point value for row 7',
  ])('are a note where they are about rules: %s', (row) => {
    expect(verdictOf(row)).toBe('ok');
  });

  it.each([
    '*** in database main ***\nTree 2 page 2: btreeInitPage() returns error code 11',
    'row 1 missing from index NULL value in t',
    'wrong # of entries in index i',
    'non-unique entry in index i',
    'malformed inverted index for FTS5 table main.f',
    'unable to validate the inverted index for FTS4 table main.f: database disk image is malformed',
    'a text that a later SQLite may have',
  ])('are damage where they are about structure: %s', (row) => {
    expect(verdictOf('NULL value in t.a', row)).toBe('damaged');
  });

  it('leave a gap where a full-text table lacks something outside of the file', () => {
    expect(verdictOf('unable to validate the inverted index for FTS4 table main.f: SQL logic error')).toBe('unchecked');
  });

  it('are listed up to a bound and counted beyond', () => {
    const tally = new Tally();
    for (let row = 0; row < 500; row++) tally.addRow(`row ${row} missing from index i`);
    const verdict = tally.verdict();
    expect(verdict).toMatchObject({ kind: 'damaged' });
    if (verdict.kind === 'damaged') {
      expect(verdict.messages).toHaveLength(21);
      expect(verdict.messages.at(-1)).toBe('and 480 other messages');
    }
  });
});
