import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { BkpError } from '../../src/base/errors.js';
import { configuredHooks, type HookSettings } from '../../src/operations/configured-hooks.js';
import { createBackup, type CreateResult } from '../../src/operations/create-backup.js';
import { withLastHooks } from '../../src/operations/run-hooks.js';
import { finding } from '../../src/manifest/findings.js';
import {
  createRequest,
  database,
  deps,
  directory,
  failure,
  instance,
  stored,
  verify,
  type CreateOptions,
  type Instance,
} from '../helpers/instance.js';
import { hasTool, tool } from '../helpers/cli.js';
import { temporaryFolder } from '../helpers/surroundings.js';

interface Options extends Partial<HookSettings>, Pick<CreateOptions, 'maxPause'> {
  readonly signal?: AbortSignal;
  /** What the run adds to its result before the very last hooks. */
  readonly fault?: boolean;
}

/** Makes a backup with hooks, as a command does. */
function create(
  site: Instance,
  { signal, maxPause = 4000, fault = false, ...commands }: Options,
): Promise<CreateResult> {
  const using = deps(signal === undefined ? {} : { signal });
  const hooks = configuredHooks({ timeout: 30_000, ...commands }, using, 'create');
  const request = { ...createRequest(site, { maxPause }), hooks };
  const work = async (): Promise<CreateResult> => {
    const made = await createBackup(request, using);
    return fault ? { ...made, findings: [...made.findings, finding('copy-failed', 'no copy')] } : made;
  };
  return withLastHooks(hooks, { id: '', file: '', root: site.root }, work, using.signal);
}

interface Scene {
  readonly site: Instance;
  readonly log: () => string;
  readonly logging: string;
}

/** Hooks write what they are told, and whether the archive is there. */
async function scene(): Promise<Scene> {
  const site = await instance({ data: { file: 'content' } }, [directory('data')]);
  const logFile = join(temporaryFolder(), 'log');
  const there = '$(test -e "$BKP_HOOK_FILE" && echo there)';
  const told = '$BKP_HOOK_EVENT $BKP_HOOK_STATUS $BKP_HOOK_EXIT_CODE';
  return {
    site,
    log: () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''),
    logging: `echo "${told} ${there} \${BKP_HOOK_ID#*-}" >> ${logFile}`,
  };
}

const everywhere = (command: string): Partial<HookSettings> => ({
  beforeCreate: command,
  afterCreate: command,
  beforeRestore: command,
  afterRestore: command,
  onFailure: command,
  finally: command,
});

describe('hooks of a backup', () => {
  it('run before it, after it and at its end, and are told of it', async () => {
    const { site, log, logging } = await scene();
    const { id, findings } = await create(site, everywhere(logging));
    expect(findings).toEqual([]);
    expect(log()).toBe('beforeCreate    manual\nafterCreate done 0 there manual\nfinally done 0 there manual\n');
    const seen = join(temporaryFolder(), 'seen');
    const told = await create(site, { afterCreate: `echo "$BKP_HOOK_ID $BKP_HOOK_FILE $PWD" > ${seen}` });
    expect(readFileSync(seen, 'utf8')).toBe(`${told.id} ${told.file} ${site.root}\n`);
    expect(told.id).not.toBe(id);
  });

  it('end it before anything is read where beforeCreate fails; the others run', async () => {
    const { site, log, logging } = await scene();
    const failed = await failure(create(site, { ...everywhere(logging), beforeCreate: `${logging}; exit 3` }));
    expect(failed).toMatchObject({ id: 'hook-failed', exitCode: 1 });
    expect(failed.message).toMatch(/^the hook beforeCreate failed: ".*" ended with exit code 3$/);
    expect(failed.hint).toMatch(/^No backup was made\. Mend the command/);
    const told = ['afterCreate', 'onFailure', 'finally'].map((event) => `${event} failed 1  manual\n`);
    expect(log()).toBe(['beforeCreate    manual\n', ...told].join(''));
    expect(stored(site)).toEqual([]);
  });

  it('are noted where they fail after a good backup, which stays what it is', async () => {
    const { site } = await scene();
    const made = await create(site, { afterCreate: ['false'], finally: ['no-such-program'] });
    expect(made).toMatchObject({ complete: true, verified: true, manifest: { findings: [] } });
    expect(made.findings.map(({ id, kind, message }) => [id, kind, message.slice(0, 30)])).toEqual([
      ['hook-failed', 'note', 'the hook afterCreate failed: "'],
      ['hook-failed', 'note', 'the hook finally failed: "no-s'],
    ]);
    expect(await verify(made.file)).toMatchObject({ verdict: 'intact' });
  });

  it('tell of a failure where the backup lacks something', async () => {
    const { site, log, logging } = await scene();
    const made = await create({ ...site, sources: [...site.sources, directory('missing')] }, everywhere(logging));
    expect(made.complete).toBe(false);
    expect(log()).toBe(
      'beforeCreate    manual\nafterCreate incomplete 3 there manual\n' +
        'onFailure incomplete 3 there manual\nfinally incomplete 3 there manual\n',
    );
  });

  it('tell of a failure where a copy of it could not be made', async () => {
    const { site, log, logging } = await scene();
    await create(site, { ...everywhere(logging), fault: true });
    expect(log()).toBe(
      'beforeCreate    manual\nafterCreate done 0 there manual\n' +
        'onFailure incomplete 3 there manual\nfinally incomplete 3 there manual\n',
    );
  });

  it('start nothing that was not stopped: where another run holds the lock, only the last ones run', async () => {
    const { site, log, logging } = await scene();
    const lock = await site.storage.lock({ ...deps(), holder: 'test', wait: 0 });
    expect((await failure(create(site, everywhere(logging)))).id).toBe('lock-held');
    lock.release();
    expect(log()).toBe('onFailure failed 11  \nfinally failed 11  \n');
  });

  it('run to their end on a signal, which ends beforeCreate', async () => {
    const { site, log, logging } = await scene();
    const controller = new AbortController();
    const hooks = { ...everywhere(logging), beforeCreate: `${logging}; sleep 300` };
    const running = failure(create(site, { ...hooks, signal: controller.signal }));
    for (let n = 0; n < 400 && log() === ''; n += 1) await sleep(25);
    controller.abort(new BkpError('interrupted', 'interrupted (SIGINT)'));
    expect(await running).toMatchObject({ id: 'interrupted', exitCode: 130 });
    const told = ['afterCreate', 'onFailure', 'finally'].map((event) => `${event} failed 130  manual\n`);
    expect(log()).toBe(['beforeCreate    manual\n', ...told].join(''));
    expect(stored(site)).toEqual([]);
  });

  it.runIf(hasTool('sqlite3'))('find the lock held until afterCreate has run, and free at the end', async () => {
    const { site } = await scene();
    const seen = join(temporaryFolder(), 'seen');
    const locked = `sqlite3 ${site.storage.folder}/.bkp.lock 'BEGIN IMMEDIATE' > /dev/null 2>&1 && echo free || echo held`;
    const tellLock = (event: string): string => `echo "${event} $(${locked})" >> ${seen}`;
    await create(site, { afterCreate: tellLock('afterCreate'), finally: tellLock('finally') });
    expect(readFileSync(seen, 'utf8')).toBe('afterCreate held\nfinally free\n');
  });

  it('let a database be copied that would make its application wait for too long', async () => {
    const site = await instance({}, [database('large.db')]);
    const db = new Database(join(site.root, 'large.db'));
    db.exec('CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(2000000))');
    db.close();
    const refused = await failure(create(site, { maxPause: 5, afterCreate: 'true' }));
    expect(refused.id).toBe('needs-wal-or-quiesce');
    expect(await create(site, { maxPause: 5, beforeCreate: 'true' })).toMatchObject({ complete: true });
  });

  it.runIf(hasTool('unzip'))('see what beforeCreate made of the data', async () => {
    const { site } = await scene();
    const { file } = await create(site, {
      beforeCreate: 'echo quiet > data/file',
      afterCreate: 'echo loud > data/file',
    });
    expect(readFileSync(join(site.root, 'data/file'), 'utf8')).toBe('loud\n');
    expect(tool('unzip', ['-p', file, 'data/file'])).toBe('quiet\n');
  });
});
