import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { entryPoint } from '../../src/base/entry-point.js';
import { timeFor } from '../../src/sqlite/check-budget.js';
import { childForTest, containing, expectKind, makeDatabase, place, snapshotOf, storedSchema } from './databases.js';

const short = { base: 1500, bytesPerSecond: 1e9 };

/** Some megabytes whose check would take years. */
function endless(path: string): string {
  return makeDatabase(
    path,
    'CREATE TABLE t (a); CREATE INDEX i ON t (a) WHERE a < 0',
    'INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000) SELECT i FROM n',
    storedSchema('i', "CREATE INDEX i ON t (a) WHERE length(replace(hex(zeroblob(10000000+a)),'0','11')) < 0"),
  );
}

const lateNote = { id: 'integrity-unchecked', message: containing('took longer than 1.5 s') };

describe('a check that does not end', () => {
  it('is given up, and those of other files go on', async () => {
    const at = await place();
    const path = endless(at.live('x.db'));
    makeDatabase(at.live('y.db'), 'CREATE TABLE t (a)');
    const child = childForTest(undefined, short);
    const checks = await Promise.all([child.check(path), child.check(at.live('y.db')), child.check(path)]);
    expect(checks).toMatchObject([{ kind: 'unchecked', notes: [lateNote] }, { kind: 'ok' }, { kind: 'unchecked' }]);
  });

  it('leaves the copy in the snapshot, unchecked, with all that is known of it', async () => {
    const at = await place();
    endless(at.live('x.db'));
    makeDatabase(at.live('y.db'), 'CREATE TABLE t (a)');
    const child = childForTest(undefined, short);
    const { databases } = await child.snapshot(snapshotOf(at, 'x.db', 'y.db'));
    expect(expectKind('copied', databases[0])).toMatchObject({
      integrity: 'unchecked',
      integrityReason: containing('took longer'),
      schemaHash: containing('sha256:'),
      notes: [lateNote],
    });
    expect(expectKind('copied', databases[1]).integrity).toBe('ok');
  });

  it('does not outlive the process that asked for it', async () => {
    const at = await place();
    endless(at.live('x.db'));
    const parent = at.live('parent.mjs');
    const client = JSON.stringify(pathToFileURL(entryPoint('sqlite/client.js')).href);
    writeFileSync(
      parent,
      `import { openSqliteChild } from ${client};
       const child = openSqliteChild();
       console.log(child.pid);
       await child.check(${JSON.stringify(at.live('x.db'))});`,
    );
    const running = spawn(process.execPath, [parent], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(running.stdout, 'data')) as [Buffer];
    const children = (pid: string): string => {
      const rows = execFileSync('ps', ['-eo', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' }).split('\n');
      return rows.filter((row) => row.trim().split(/\s+/)[1] === pid && row.includes('examiner-process')).join('\n');
    };
    await expect.poll(() => children(line.toString().trim()), { timeout: 10_000 }).not.toBe('');
    const pid = Number(children(line.toString().trim()).trim().split(/\s+/)[0]);
    await new Promise((resolve) => setTimeout(resolve, 500));
    running.kill('SIGKILL');
    const state = (): string =>
      execFileSync('sh', ['-c', `ps -o stat= -p ${pid} || true`], { encoding: 'utf8' }).trim();
    await expect.poll(() => state() === '' || state().startsWith('Z'), { timeout: 10_000 }).toBe(true);
  });
});

describe('the time a check is given', () => {
  it('grows with the file, and stays within what a timer takes', () => {
    const budget = { base: 1000, bytesPerSecond: 500 };
    expect([0, 250, 1e15].map((bytes) => timeFor(budget, bytes))).toEqual([1000, 1500, 2 ** 31 - 1]);
  });
});
