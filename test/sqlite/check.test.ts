import { readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sharedChild, containing, makeDatabase, overwritePage, place, storedSchema, type Place } from './databases.js';

/** A database that needs something this process lacks, by what it needs. */
const needing: Record<string, (path: string) => string> = {
  'no such collation sequence: german': (path) =>
    makeDatabase(
      path,
      "CREATE TABLE t (a TEXT); CREATE INDEX i ON t (a); INSERT INTO t VALUES ('x'), ('y')",
      storedSchema('i', 'CREATE INDEX i ON t (a COLLATE german)'),
    ),
  'unknown function: fold()': (path) =>
    makeDatabase(
      path,
      (db) => db.function('fold', { deterministic: true }, (text: unknown) => text),
      'CREATE TABLE t (a); CREATE INDEX i ON t (fold(a)); INSERT INTO t VALUES (1), (2)',
    ),
  'no such module: elsewhere': (path) =>
    makeDatabase(
      path,
      'CREATE VIRTUAL TABLE v USING rtree(id, low, high)',
      storedSchema('v', 'CREATE VIRTUAL TABLE v USING elsewhere(id, low, high)'),
    ),
};

async function broken(at: Place): Promise<string> {
  const path = makeDatabase(
    at.live('broken.db'),
    'CREATE TABLE first (a); CREATE TABLE t (a, b); CREATE INDEX i ON t (a)',
    'INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000) SELECT i, hex(i) FROM n',
  );
  overwritePage(path, 7);
  return path;
}

describe('checking a database file', () => {
  it.each(Object.keys(needing))('says what it lacks and no more: %s', async (lacks) => {
    const at = await place();
    const result = await sharedChild().check(needing[lacks]!(at.live('x.db')));
    expect(result).toMatchObject({
      kind: 'unchecked',
      reason: containing(lacks),
      notes: [{ id: 'integrity-unchecked' }],
    });
  });

  it('finds damage although another table needs what it lacks', async () => {
    const at = await place();
    const path = await broken(at);
    makeDatabase(path, 'CREATE INDEX j ON first (a)', storedSchema('j', 'CREATE INDEX j ON first (a COLLATE german)'));
    expect(await sharedChild().check(path)).toMatchObject({ kind: 'damaged' });
  });

  it('notes broken constraints, which are no damage', async () => {
    const at = await place();
    const path = makeDatabase(
      at.live('x.db'),
      'PRAGMA foreign_keys = OFF; CREATE TABLE parent (id INTEGER PRIMARY KEY); CREATE TABLE plain (id)',
      'CREATE TABLE t (a TEXT, b REFERENCES parent, c); INSERT INTO t VALUES (NULL, 7, 1), (NULL, 8, 200), (1, 9, 3)',
      'CREATE TABLE u (p REFERENCES plain (id)); INSERT INTO u VALUES (1)',
      storedSchema('t', 'CREATE TABLE t (a TEXT NOT NULL, b REFERENCES parent, c CHECK (c < 100))'),
    );
    const result = await sharedChild().check(path);
    expect(result).toEqual({
      kind: 'ok',
      notes: [
        'NULL value in t.a (2 times)',
        'a row of t refers to no row of parent (3 times)',
        'foreign key mismatch - "u" referencing "plain"',
      ].map((message) => ({ id: 'database-constraint', message })),
    });
  });

  it('finds a structural fault behind more broken constraints than it reports', async () => {
    const at = await place();
    const path = makeDatabase(
      at.live('x.db'),
      'CREATE TABLE a (v TEXT); CREATE TABLE z (v, w); CREATE INDEX i ON z (v); INSERT INTO z VALUES (1, 2), (3, 4)',
      'INSERT INTO a WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500) SELECT NULL FROM n',
      storedSchema('a', 'CREATE TABLE a (v TEXT NOT NULL)'),
    );
    makeDatabase(path, storedSchema('i', 'CREATE INDEX i ON z (w)'));
    const result = await sharedChild().check(path);
    expect(result.kind).toBe('damaged');
    if (result.kind === 'damaged') expect(result.messages.join('; ')).toContain('missing from index i');
  });

  it('finds an overwritten page, a cut file and noise damaged, and lists a bounded number of messages', async () => {
    const at = await place();
    const child = sharedChild();
    const path = await broken(at);
    const result = await child.check(path);
    expect(result.kind).toBe('damaged');
    if (result.kind === 'damaged') expect(result.messages.length).toBeLessThan(30);
    truncateSync(path, 8192);
    expect((await child.check(path)).kind).toBe('damaged');
    writeFileSync(path, Buffer.alloc(8192, 7));
    expect(await child.check(path)).toEqual({ kind: 'damaged', messages: ['file is not a database (SQLITE_NOTADB)'] });
  });

  it('accepts an empty file, and leaves nothing beside one whose header says WAL', async () => {
    const at = await place();
    const child = sharedChild();
    writeFileSync(at.copy('empty.db'), '');
    makeDatabase(at.copy('with ?#% in its name.db'), 'PRAGMA journal_mode = WAL; CREATE TABLE t (a)');
    for (const name of readdirSync(at.copy('.'))) {
      expect(await child.check(at.copy(name))).toEqual({ kind: 'ok', notes: [] });
    }
    expect(readdirSync(at.copy('.'))).toHaveLength(2);
  });

  it('that is not there fails by name', async () => {
    const at = await place();
    await expect(sharedChild().check(at.live('none.db'))).rejects.toMatchObject({
      id: 'file-not-found',
      path: at.live('none.db'),
    });
  });
});
