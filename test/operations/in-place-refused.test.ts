import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { containerOf } from '../../src/policy/backup-name.js';
import { restoreOver } from '../helpers/in-place.js';
import { rewrite } from '../helpers/in-place-database.js';
import { database, directory, failure, instance, stored, type Instance } from '../helpers/instance.js';
import { temporaryFolder } from '../helpers/surroundings.js';
import { linkTo } from '../helpers/tree.js';
import { craft } from './crafted-archive.js';
import { withPassphrase } from './encrypted.js';

const fixtures = fileURLToPath(new URL('../../fixtures/archives', import.meta.url));
const damaged = readdirSync(join(fixtures, 'damaged')).filter((name) => containerOf(name) !== undefined);

/** An instance with the sources of the golden archives, whose application is running: its `-wal` and `-shm` are there. */
async function running(): Promise<Instance> {
  const made = await instance({ data: { 'a text.txt': 'now', sub: { link: linkTo('../x'), b: 'now' } } }, [
    database('app.db'),
    directory('data'),
  ]);
  rewrite(join(made.root, 'app.db'), 'now');
  const script = fileURLToPath(new URL('../helpers/sqlite-writer-holding.mjs', import.meta.url));
  const args = [script, join(made.root, 'app.db'), "UPDATE state SET text = 'in the -wal'"];
  const application = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void application.kill('SIGKILL'));
  await once(application.stdout, 'data');
  expect(readdirSync(made.root).sort()).toEqual(['app.db', 'app.db-shm', 'app.db-wal', 'data']);
  return made;
}

/** All that lies below, by what changes when somebody only so much as touches it. Opens nothing. */
function looks(root: string): unknown {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((path) => {
      const { dev, ino, mode, nlink, uid, size, mtimeNs, ctimeNs } = lstatSync(join(root, path), { bigint: true });
      return [path, dev, ino, mode, nlink, uid, size, mtimeNs, ctimeNs];
    });
}

async function expectRefused(made: Instance, file: string, exitCode: number): Promise<void> {
  const before = looks(made.root);
  const error = await failure(restoreOver(made, file, withPassphrase('golden passphrase')));
  expect([file, error.exitCode]).toEqual([file, exitCode]);
  expect(looks(made.root)).toEqual(before);
  expect(existsSync(join(made.root, '.bkp-restore'))).toBe(false);
  expect(stored(made).filter((name) => !name.startsWith('.'))).toEqual([]);
}

describe('in place of a running application, an archive is refused before anything is touched', () => {
  it('with a wrong byte, a missing entry, an entry too many, and whatever else damages one', async () => {
    const made = await running();
    expect(damaged.length).toBeGreaterThan(30);
    for (const name of damaged) await expectRefused(made, join(fixtures, 'damaged', name), 14);
  });

  it('of a newer major version', async () => {
    const made = await running();
    const entries = [{ path: 'data' }, { path: 'data/a text.txt', content: 'then' }];
    for (const container of ['zip', 'tar.gz'] as const) {
      const newer = await craft({ container, entries, manifest: (honest) => ({ ...honest, version: '2.0.0' }) });
      await expectRefused(made, newer, 15);
    }
  });

  it('that is sound: for its database is in use, which is found out before anything is touched, too', async () => {
    const made = await running();
    const file = join(temporaryFolder(), 'format-1.zip');
    cpSync(join(fixtures, 'good/format-1.zip'), file);
    await expectRefused(made, file, 15);
  });
});
