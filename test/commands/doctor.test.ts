import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bkp as run } from '../helpers/cli.js';
import { holdDatabase, makeDatabase } from '../helpers/layout.js';
import { isRoot, temporaryFolder, tinyFileSystem } from '../helpers/surroundings.js';
import {
  bkp,
  controlsIn,
  folder,
  jsonLines,
  lastLine,
  namesIn,
  site,
  siteWithBackup,
  storageOf,
  type Line,
} from './cli.js';

const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

interface Examined {
  readonly code: number | null;
  readonly checks: readonly Line[];
  /** Of the checks with this id: `verdict message`. */
  readonly of: (id: string) => readonly string[];
}

async function examine(root: string, ...args: readonly string[]): Promise<Examined> {
  return examined(await bkp(['doctor', '--json', ...args], { cwd: root }));
}

function examined(ran: { readonly code: number | null; readonly stdout: string }): Examined {
  const checks = jsonLines({ signal: null, stderr: '', ...ran }).filter(({ type }) => type === 'check');
  const of = (id: string): readonly string[] =>
    checks.filter((check) => check.id === id).map(({ verdict, message }) => `${String(verdict)} ${String(message)}`);
  return { code: ran.code, checks, of };
}

/** Everything below a folder with what a write or a look with SQLite would change. */
function states(root: string): readonly unknown[] {
  const names = (readdirSync(root, { recursive: true }) as string[]).sort();
  return ['', ...names].map((name) => {
    const { mtimeNs, ctimeNs, size, ino } = statSync(join(root, name), { bigint: true });
    return [name, mtimeNs, ctimeNs, size, ino];
  });
}

describe('bkp doctor', () => {
  it('finds a sound instance sound, and touches nothing in it', async () => {
    const root = site();
    makeDatabase(join(root, 'var/uploads/live.db'));
    holdDatabase(join(root, 'var/uploads/live.db')).commit();
    const before = states(root);
    const { code, checks, of } = await examine(root);
    expect(code).toBe(0);
    expect(states(root)).toEqual(before);
    expect(checks.filter(({ verdict }) => verdict === 'fail')).toEqual([]);
    expect(of('configuration')).toEqual(['ok there is no file: the layout of the CMS was found']);
    expect(of('sources').join()).toMatch(/^ok all 4 are there.* turned off: config$/);
    for (const id of [
      'root',
      'uncovered-data',
      'long-pause',
      'storage',
      'free-space',
      'leftovers',
      'unfinished-restore',
      'clock',
    ])
      expect(of(id).join()).toMatch(/^ok /);
    expect(of('node-version')).toEqual([`ok Node.js ${process.versions.node}`]);
    expect(of('sqlite-module').join()).toMatch(/^ok SQLite 3\./);
  });

  it('shows what is wrong and what to do, with -q nothing else', async () => {
    const root = site();
    rmSync(join(root, 'var/uploads'), { recursive: true });
    const shown = await bkp(['doctor'], { cwd: root });
    expect(shown).toMatchObject({ code: 16, stderr: '' });
    expect(shown.stdout).toMatch(/^FAIL {2}sources +uploads: a backup would be incomplete: .*uploads.*\n +Mend it/m);
    expect(shown.stdout).toMatch(/^\d+ checks fine, \d+ warnings?, 1 failure$/m);
    const quiet = await bkp(['doctor', '-q'], { cwd: root });
    expect(quiet.code).toBe(16);
    expect(quiet.stdout).toMatch(/^FAIL/m);
    expect(quiet.stdout).not.toMatch(/^ok/m);
  });

  it('goes on without an instance, and says that there is none', async () => {
    const { code, checks, of } = await examine(folder());
    expect(code).toBe(16);
    expect(of('configuration').join()).toMatch(/^fail found neither a configuration/);
    expect(new Set(checks.map(({ id }) => id))).toEqual(
      new Set(['configuration', 'node-version', 'sqlite-module', 'cron']),
    );
  });

  it('tells every fault of a configuration, and one that others could have written', async () => {
    const root = site();
    writeFileSync(join(root, '.backuprc'), 'level: 12\nformt: zip\n');
    const faulty = await examine(root);
    expect(faulty.code).toBe(16);
    expect(faulty.of('configuration').join()).toMatch(/^fail .*formt.*level/s);
    writeFileSync(join(root, '.backuprc'), 'level: 1\n');
    expect((await examine(root)).of('configuration').join()).toMatch(/^ok .*\.backuprc is valid \(mode 0644\)/);
    chmodSync(join(root, '.backuprc'), 0o666);
    expect((await examine(root)).of('configuration').join()).toMatch(/^fail not reading/);
    const read = await examine(root, '--allow-unsafe-config');
    expect(read.code).toBe(0);
    expect(read.of('configuration')[0]).toMatch(/^warn not reading/);
  });

  it('writes no byte that a terminal would act on', async () => {
    const root = site();
    makeDatabase(join(root, 'plain.db'));
    renameSync(join(root, 'plain.db'), join(root, 'evil\u001b[2J\n.db'));
    symlinkSync('/etc/passwd', join(root, 'var/uploads/out\u009b'));
    const { stdout } = await bkp(['doctor'], { cwd: root });
    expect(stdout).toContain('evil');
    expect(controlsIn(stdout)).toEqual([]);
  });
});

describe('data', () => {
  it('that no source holds is named: databases and folders, but not what is turned off, excluded or archived', async () => {
    const root = folder();
    const elsewhere = folder();
    for (const name of ['pb_data/data.db', 'pb_data/off.db', 'pb_data/tenants/x.db', 'jobs.db', 'extra/state.sqlite'])
      makeDatabase(join(root, name));
    makeDatabase(join(elsewhere, 'users.db'));
    makeDatabase(join(elsewhere, 'more.db'));
    makeDatabase(join(elsewhere, 'unrelated/x.db'));
    for (const name of ['uploads', 'pb_hooks', 'code']) mkdirSync(join(root, name));
    makeDatabase(join(root, 'archives/x.db'));
    const sources = {
      'data.db': { type: 'sqlite', path: 'pb_data/data.db' },
      'off.db': { type: 'sqlite', path: 'pb_data/off.db', enabled: false },
      'users.db': { type: 'sqlite', path: join(elsewhere, 'users.db') },
      pb_data: { type: 'directory', path: 'pb_data', exclude: ['tenants/**'] },
    };
    writeFileSync(join(root, '.backuprc'), JSON.stringify({ storage: 'archives', sources }));
    const { code, of } = await examine(root);
    expect(code).toBe(0);
    expect(of('uncovered-data').map((one) => one.replace(root, '').replace(elsewhere, 'elsewhere'))).toEqual([
      'warn /extra/state.sqlite is a SQLite database that no source holds',
      'warn /jobs.db is a SQLite database that no source holds',
      'warn /extra is a folder of data that no source holds',
      'warn /uploads is a folder of data that no source holds',
      'warn elsewhere/more.db is a SQLite database that no source holds',
    ]);
  });

  it('that a backup would lack is a failure: what is missing, leads out, or is no database', async () => {
    const root = site();
    rmSync(join(root, 'var/user.brain'));
    writeFileSync(join(root, 'var/system.brain'), 'x'.repeat(4096));
    symlinkSync('/etc/passwd', join(root, 'var/uploads/out'));
    symlinkSync('/etc/group', join(root, 'var/uploads/out-too'));
    const { code, of } = await examine(root);
    expect(code).toBe(16);
    expect(of('sources').map((one) => one.replaceAll(root, ''))).toEqual([
      expect.stringMatching(/^fail user\.brain: a backup would be incomplete: \/var\/user\.brain does not exist/),
      expect.stringMatching(/^fail uploads: a backup would be incomplete: uploads\/out: .* \(and 1 more\)$/),
      expect.stringMatching(/^fail \/var\/system\.brain does not begin as a SQLite database/),
    ]);
  });

  it.skipIf(!isRoot)(
    'that another user may not read is a failure, and databases he may not lock are a warning',
    async () => {
      const root = site();
      chmodSync(join(root, '..'), 0o755);
      chmodSync(join(root, 'var/uploads'), 0o755);
      const hidden = join(root, 'var/uploads/hidden');
      writeFileSync(hidden, '', { mode: 0o600 });
      mkdirSync(join(root, 'var/uploads/closed'), { mode: 0o700 });
      const ran = examined(await run(['doctor', '--json', '-C', root], { under: nobody }));
      expect(ran.code).toBe(16);
      expect(ran.of('sources')).toEqual([
        expect.stringMatching(
          /^fail uploads: .*closed.*EACCES.* \(and 1 more\)|^fail uploads: .*hidden.*EACCES.* \(and 1 more\)/,
        ),
        expect.stringMatching(/^warn .*system\.brain cannot be written to by you/),
        expect.stringMatching(/^warn .*user\.brain cannot be written to by you/),
      ]);
      expect(ran.of('storage').join()).toMatch(/^fail .*cannot be written to: EACCES/);
    },
  );

  it('too large to copy without a pause is told beforehand, by the estimate of the backup itself', async () => {
    const root = site();
    const refused = async (): Promise<string> =>
      String(lastLine(await bkp(['create', '--json'], { cwd: root }))['message']);
    makeDatabase(join(root, 'var/uploads/found.db'), { wal: false });
    writeFileSync(join(root, 'var/uploads/found.db-journal'), '');
    writeFileSync(join(root, '.backuprc'), 'maxPause: 1ms\n');
    const { code, of } = await examine(root);
    expect(code).toBe(16);
    expect(of('long-pause')).toEqual([`fail ${await refused()}`]);
    writeFileSync(join(root, '.backuprc'), 'maxPause: none\n');
    // Sparse: nothing of it is on the disk.
    truncateSync(join(root, 'var/user.brain'), 2 * 1024 ** 3);
    expect((await examine(root)).of('long-pause').join()).toMatch(/^ok writers wait for about 20\.\d s/);
  });
});

describe('the storage', () => {
  it.each([
    { what: 'a file', make: (path: string) => writeFileSync(path, ''), says: /^fail .* is not a folder$/ },
    { what: 'below a file', make: (path: string) => writeFileSync(join(path, '..'), ''), says: /^fail .*ENOTDIR/ },
    {
      what: 'open to all',
      make: (path: string) => mkdirSync(path, { mode: 0o777 }),
      says: /^warn .*by others \(mode 0777\)/,
    },
    { what: 'not there', make: () => undefined, says: /^ok .*not there yet/ },
  ])('that is $what is told', async ({ make, says }) => {
    const root = site();
    const storage = join(root, 'archives');
    const path = says.source.includes('ENOTDIR') ? join(storage, 'deeper') : storage;
    make(path);
    if (says.source.includes('0777')) chmodSync(path, 0o777);
    const { of } = await examine(root, '--storage', path);
    expect(of('storage').join()).toMatch(says);
  });

  it('on the disk of the data is a warning; on another one, that has too little space, a failure', async (context) => {
    const root = site();
    expect((await examine(root)).of('storage-device').join()).toMatch(
      /^warn archives lie on the same file system as the data/,
    );
    const tiny = tinyFileSystem(256 * 1024);
    if (tiny === undefined) return context.skip();
    chmodSync(tiny, 0o700);
    const { code, of } = await examine(root, '--storage', tiny);
    expect(of('storage-device').join()).toMatch(/^ok/);
    expect(of('free-space').join()).toMatch(/^fail .*not even the databases/);
    expect(code).toBe(16);
    expect(namesIn(tiny)).toEqual([]);
  });

  it('with a backup of a time to come means that a clock is wrong', async () => {
    const { root } = await siteWithBackup('--only', 'system.brain');
    writeFileSync(join(storageOf(root), '20991231T000000Z-manual.zip'), '');
    const { of } = await examine(root);
    expect(of('clock').join()).toMatch(/^warn the newest backup is of \d{4}-\d\d-\d\d \d\d:\d\d UTC\S*, but it is 20/);
  });

  it('with leftovers of killed runs is a warning, and so is what a restore put aside', async () => {
    const { root } = await siteWithBackup('--only', 'system.brain');
    expect((await examine(root)).of('leftovers').join()).toMatch(/^ok/);
    writeFileSync(join(storageOf(root), '.20251030T120000Z-daily.zip.partial'), '');
    mkdirSync(join(storageOf(root), '.20251030T120000Z-daily.staging'));
    mkdirSync(join(root, '.bkp-restore/kept'), { recursive: true });
    const { of, code } = await examine(root);
    expect(code).toBe(0);
    expect(of('leftovers')).toEqual([
      expect.stringMatching(/^warn .*-daily\.staging and 1 more: left by a run that was killed/),
      expect.stringMatching(/^warn .*\.bkp-restore holds what a restore put aside/),
    ]);
  });
});

describe('the rest', () => {
  it('an unfinished restore is a failure', async () => {
    const root = site();
    mkdirSync(join(root, '.bkp-restore'), { mode: 0o700 });
    writeFileSync(join(root, '.bkp-restore/journal.committing.json'), '{}');
    const { code, of } = await examine(root);
    expect(code).toBe(16);
    expect(of('unfinished-restore').join()).toMatch(/^fail a restore of .* is not finished/);
    expect(of('leftovers').join()).toMatch(/^ok/);
  });

  it('a passphrase file is looked at where one is named', async () => {
    const root = site();
    const file = join(folder(), 'passphrase');
    const judge = async (): Promise<string> => {
      const env = { BKP_PASSPHRASE_FILE: file };
      return examined(await bkp(['doctor', '--json'], { cwd: root, env }))
        .of('passphrase-file')
        .join();
    };
    expect(await judge()).toMatch(/^fail .*cannot be read: ENOENT/);
    writeFileSync(file, 'correct horse battery staple', { mode: 0o600 });
    expect(await judge()).toMatch(/^ok /);
    chmodSync(file, 0o640);
    expect(await judge()).toMatch(/^fail .*open to others \(mode 0640\)/);
    if (isRoot) {
      chmodSync(file, 0o600);
      chownSync(file, 65534, 65534);
      expect(await judge()).toMatch(/^fail .*belongs to user 65534/);
    }
    expect((await examine(root)).of('passphrase-file')).toEqual([]);
  });

  it('a module that was not built is a failure with its mend', async () => {
    const root = site();
    const data = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`;
    const hooks = `export const resolve = (name, context, next) => {
      if (name === 'better-sqlite3') throw new Error('Could not locate the bindings file.');
      return next(name, context);
    };`;
    const register = `import { register } from 'node:module'; register(${JSON.stringify(data(hooks))});`;
    const ran = examined(
      await bkp(['doctor', '--json'], { cwd: root, env: { NODE_OPTIONS: `--import=${data(register)}` } }),
    );
    expect(ran.code).toBe(16);
    expect(ran.of('sqlite-module').join()).toMatch(/^fail the SQLite module .* never built/);
  });

  it('cron is looked for where programs are', async () => {
    const root = site();
    const tools = temporaryFolder();
    const cron = async (path: string): Promise<string> =>
      examined(await run(['doctor', '--json', '-C', root], { env: { PATH: path } }))
        .of('cron')
        .join();
    expect(await cron(tools)).toMatch(/^warn there is no crontab command|^ok .*systemd/);
    writeFileSync(join(tools, 'crontab'), '#!/bin/sh\n', { mode: 0o755 });
    expect(await cron(tools)).toMatch(new RegExp(`^(?:ok|warn) crontab is ${tools}/crontab|^ok .*systemd`));
    // A process that is called like a cron daemon.
    execFileSync('cp', ['/bin/sleep', join(tools, 'crond')]);
    const daemon = execFileSync('sh', ['-c', `${join(tools, 'crond')} 60 >/dev/null 2>&1 & echo $!`], {
      encoding: 'utf8',
    });
    try {
      expect(await cron(tools)).toBe(`ok crontab is ${tools}/crontab`);
    } finally {
      process.kill(Number(daemon));
    }
  });
});
