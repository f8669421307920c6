import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rewrite } from '../helpers/in-place-database.js';
import { create, database, directory, failure, instance, stored, verify, type Instance } from '../helpers/instance.js';
import { isRoot, temporaryFolder, unprivilegedAsync } from '../helpers/surroundings.js';
import { encryption, withPassphrase } from './encrypted.js';
import { BkpError } from '../../src/base/errors.js';
import { entryPoint } from '../../src/base/entry-point.js';

const marker = 'what nobody else may read';

async function small(): Promise<Instance> {
  const from = await instance({ data: { a: 'x' } }, [database('app.db'), directory('data')]);
  rewrite(join(from.root, 'app.db'), marker);
  return from;
}

interface Seen {
  /** Files in a folder that hold the marker in clear, by name, and the modes of the folders they lie in. */
  readonly inRoot: readonly string[];
  readonly inStorage: readonly string[];
  readonly inTemporary: readonly string[];
  readonly modes: readonly number[];
}

function holding(folder: string): readonly string[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile() && readFileSync(path).includes(marker));
}

/** Makes an encrypted backup and looks around when its databases are copied. */
async function lookedAt(from: Instance, more: { output?: string; encrypted?: boolean } = {}): Promise<Seen> {
  const temporary = temporaryFolder();
  const { encrypted = true, ...options } = more;
  const seen: Seen[] = [];
  const look = (id: string): void => {
    if (id !== 'databases-copied') return;
    const inRoot = holding(join(from.root, '.bkp-staging'));
    const inTemporary = holding(temporary);
    const modes = [...inRoot, ...inTemporary].flatMap((path) => [statSync(join(path, '..')).mode & 0o777]);
    seen.push({ inRoot, inTemporary, inStorage: holding(from.storage.folder), modes });
  };
  const using = { temporaryFolder: temporary, step: look };
  const made = await create(from, { ...options, ...(encrypted ? { encryption: encryption() } : {}) }, using);
  expect((await verify(made.file, withPassphrase())).verdict).toBe('intact');
  expect(readdirSync(temporary)).toEqual([]);
  expect(seen).toHaveLength(1);
  return seen[0]!;
}

describe('copies of databases for an encrypted backup', () => {
  it('lie in a private folder of the root, never beside the archive', async () => {
    for (const output of [undefined, join(temporaryFolder(), 'x.zip')]) {
      const from = await small();
      const seen = await lookedAt(from, output === undefined ? {} : { output });
      expect(seen).toMatchObject({ inRoot: [expect.any(String)], inStorage: [], inTemporary: [], modes: [0o700] });
      if (output !== undefined) expect(readdirSync(join(output, '..')).sort()).toEqual(['x.zip', 'x.zip.sha256']);
      expect(readdirSync(from.root).sort()).toEqual(['app.db', 'data']);
    }
  });

  it('lie in the storage where it is not encrypted: this test would see them', async () => {
    expect(await lookedAt(await small(), { encrypted: false })).toMatchObject({
      inRoot: [],
      inStorage: [expect.any(String)],
    });
  });

  it.each([
    ['a link that leads elsewhere', (path: string) => symlinkSync(temporaryFolder(), path)],
    ['a file', (path: string) => writeFileSync(path, '')],
  ])('lie in the temporary folder where the private one is %s', async (_, make) => {
    const from = await small();
    make(join(from.root, '.bkp-staging'));
    expect(await lookedAt(from)).toMatchObject({
      inRoot: [],
      inStorage: [],
      inTemporary: [expect.any(String)],
      modes: [0o700],
    });
    expect(readdirSync(from.root)).toContain('.bkp-staging');
  });

  it.runIf(isRoot)('lie there too where the root cannot be written to, or the folder is somebody else’s', async () => {
    const from = await small();
    chmodSync(from.root, 0o555);
    mkdirSync(from.storage.folder, { mode: 0o777 });
    chmodSync(from.storage.folder, 0o777);
    const seen = await unprivilegedAsync(() => lookedAt(from));
    expect(seen).toMatchObject({ inRoot: [], inStorage: [], inTemporary: [expect.any(String)] });
    mkdirSync(join(from.root, '.bkp-staging'), { mode: 0o700 });
    const elsewhere: string[] = [];
    const step = (id: string): void => void elsewhere.push(id);
    for (const options of [{ encryption: encryption() }, {}])
      await unprivilegedAsync(() => create(from, { quickCheck: true, ...options }, { step }));
    expect(elsewhere.filter((id) => /elsewhere|kept/.test(id))).toEqual([
      'leftover-kept',
      'staging-elsewhere',
      'leftover-kept',
    ]);
  });

  it('leave a private folder that was open to others closed', async () => {
    const from = await small();
    mkdirSync(join(from.root, '.bkp-staging'));
    chmodSync(join(from.root, '.bkp-staging'), 0o777);
    let mode = 0;
    const step = (id: string): void => {
      if (id === 'databases-copied') mode = statSync(join(from.root, '.bkp-staging')).mode & 0o777;
    };
    await create(from, { encryption: encryption() }, { step });
    expect(mode).toBe(0o700);
  });

  it('are gone when the backup fails', async () => {
    const from = await small();
    const controller = new AbortController();
    const step = (id: string): void =>
      id === 'databases-copied' ? controller.abort(new BkpError('interrupted', 'interrupted')) : undefined;
    const run = create(from, { encryption: encryption() }, { step, signal: controller.signal });
    expect((await failure(run)).id).toBe('interrupted');
    expect([readdirSync(from.root).sort(), stored(from)]).toEqual([['app.db', 'data'], []]);
  });
});

/** A folder as a killed run leaves it. */
async function deadStaging(parent: string, name: string): Promise<void> {
  mkdirSync(join(parent, `.${name}.staging`), { recursive: true });
  writeFileSync(join(parent, `.${name}.staging/database-0`), marker);
  const lock = JSON.stringify(join(parent, `.${name}.staging.lock`));
  const modules = ['fs/lock.js', 'base/clock.js'].map((path) => JSON.stringify(entryPoint(path)));
  const script = `
    import { acquireLock } from ${modules[0]};
    import { systemClock } from ${modules[1]};
    await acquireLock(${lock}, { wait: 0, clock: systemClock });
    process.kill(process.pid, 'SIGKILL');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
  await once(child, 'exit');
}

it.each([true, false])('the next run removes what a killed one left (encrypted: %s)', async (encrypted) => {
  const from = await small();
  const temporary = temporaryFolder();
  await deadStaging(join(from.root, '.bkp-staging'), 'bkp-create-0123456789ab');
  await deadStaging(temporary, 'bkp-create-ba9876543210');
  writeFileSync(join(temporary, 'other'), 'of somebody else');
  const options = { quickCheck: true, ...(encrypted ? { encryption: encryption() } : {}) };
  await create(from, options, { temporaryFolder: temporary });
  expect(readdirSync(temporary)).toEqual(['other']);
  expect(readdirSync(from.root).sort()).toEqual(['app.db', 'data']);
});
