import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { bkp, jsonLines, siteCopy, tool } from '../helpers/cli.js';
import { isRoot, temporaryFolder } from '../helpers/surroundings.js';

const userBrain = (site: string): string => join(site, 'var/user.brain');

async function findingsOf(site: string): Promise<{ code: number | null; ids: readonly unknown[] }> {
  const ran = await bkp(['create', '-C', site, '--json']);
  const ids = jsonLines(ran).filter(({ type }) => type === 'finding');
  return { code: ran.code, ids: ids.map(({ id }) => id) };
}

describe('a database', () => {
  it('that is damaged is kept as raw bytes, told, and restored as it was, with all the rest', async () => {
    const site = siteCopy();
    const bytes = readFileSync(userBrain(site));
    bytes.fill(0x5a, 8192, 60_000);
    writeFileSync(userBrain(site), bytes);
    expect(await findingsOf(site)).toEqual({ code: 3, ids: ['database-damaged-raw'] });
    expect((await bkp(['verify', '-C', site, '--all'])).code).toBe(3);
    const target = join(temporaryFolder(), 'restored');
    const id = jsonLines(await bkp(['list', '-C', site, '--json'])).find(({ type }) => type === 'backup')?.['id'];
    expect((await bkp(['restore', '-C', site, String(id), '--target', target])).code).toBe(3);
    expect(readFileSync(userBrain(target)).equals(bytes)).toBe(true);
    tool('diff', ['-r', join(site, 'var/uploads'), join(target, 'var/uploads')]);
  });

  it('that holds noise does not stop the backup of the others', async () => {
    const site = siteCopy();
    writeFileSync(userBrain(site), 'no database at all');
    expect(await findingsOf(site)).toEqual({ code: 3, ids: ['database-damaged-raw'] });
  });

  it('that is missing is a loss', async () => {
    const site = siteCopy();
    tool('rm', [userBrain(site)]);
    expect(await findingsOf(site)).toEqual({ code: 3, ids: ['source-missing'] });
  });

  it('whose integrity cannot be checked here is copied, with a note', async () => {
    const site = siteCopy();
    const database = new Database(userBrain(site));
    database.unsafeMode(true);
    database.pragma('writable_schema = ON');
    database.exec('CREATE TABLE sorted (name TEXT); CREATE INDEX by_name ON sorted (name)');
    database
      .prepare("UPDATE sqlite_schema SET sql = 'CREATE TABLE sorted (name TEXT COLLATE icu_de)' WHERE name = 'sorted'")
      .run();
    database.close();
    expect(await findingsOf(site)).toEqual({ code: 0, ids: ['integrity-unchecked'] });
    expect((await bkp(['verify', '-C', site])).code).toBe(0);
  });

  it('with a rollback journal that would make writers wait too long is refused, with the mends', async () => {
    const site = siteCopy();
    writeFileSync(join(site, '.backuprc'), 'maxPause: 1ms\n', { mode: 0o600 });
    const refused = await bkp(['create', '-C', site]);
    expect(refused.code).toBe(15);
    expect(refused.stderr).toMatch(/user\.brain[\s\S]*WAL[\s\S]*maxPause/);
    expect((await bkp(['list', '-C', site])).stdout).not.toMatch(/Z-manual/);
    writeFileSync(join(site, '.backuprc'), 'maxPause: none\n', { mode: 0o600 });
    expect((await bkp(['create', '-C', site])).code).toBe(0);
  });

  it.skipIf(!isRoot)('on a read-only file system is copied all the same', async () => {
    const site = siteCopy();
    const storage = temporaryFolder();
    tool('mount', ['--bind', site, site]);
    try {
      tool('mount', ['-o', 'remount,bind,ro', site]);
      const made = await bkp(['create', '-C', site, '--storage', storage, '--json']);
      expect(made.code).toBe(0);
      expect(jsonLines(made).flatMap(({ type, id }) => (type === 'finding' ? [id] : []))).toContain('not-one-instant');
      expect((await bkp(['verify', '-C', site, '--storage', storage])).code).toBe(0);
    } finally {
      tool('umount', [site]);
    }
  });
});
