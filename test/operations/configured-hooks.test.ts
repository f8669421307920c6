import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { withCleanup } from '../../src/base/cleanup.js';
import { BkpError } from '../../src/base/errors.js';
import { storedBackup } from '../../src/operations/backup-file.js';
import { configuredHooks, type HookSettings } from '../../src/operations/configured-hooks.js';
import { planInPlace } from '../../src/operations/plan-in-place.js';
import { restoreInPlace, type InPlaceResult } from '../../src/operations/restore-in-place.js';
import { create, deps, directory, failure, instance, siteCopy, type Instance } from '../helpers/instance.js';
import { temporaryFolder } from '../helpers/surroundings.js';

const writeLoad = fileURLToPath(new URL('../../bench/write-load.mjs', import.meta.url));

interface Options extends Partial<HookSettings> {
  readonly signal?: AbortSignal;
}

/** Restores the backup `id` in place, with hooks. */
function restore(site: Instance, id: string, { signal, ...commands }: Options): Promise<InPlaceResult> {
  const using = deps(signal === undefined ? {} : { signal });
  return withCleanup(async (cleanup) => {
    const plan = await planInPlace(
      {
        file: storedBackup(site.storage, `${id}.zip`),
        instance: 'app',
        root: site.root,
        configured: site.sources,
        excludes: [],
        storage: site.storage,
        only: undefined,
        paths: undefined,
        owner: { kind: 'target' },
        allowUnverified: false,
        allowRepacked: false,
        safetyBackup: true,
        compare: false,
      },
      using,
      cleanup,
    );
    const hooks = configuredHooks({ timeout: 30_000, ...commands }, using);
    return restoreInPlace(plan, { level: 1, lockWait: 0, hooks }, using);
  });
}

/** An instance with one file, which is `old` in its backup and `new` in its place; hooks write beside its root. */
async function changed(): Promise<{
  site: Instance;
  id: string;
  content: () => string;
  log: () => string;
  logging: string;
}> {
  const site = await instance({ data: { file: 'old' } }, [directory('data')]);
  const { id } = await create(site);
  writeFileSync(join(site.root, 'data/file'), 'new');
  const logFile = join(temporaryFolder(), 'log');
  const logging = `echo "$BKP_HOOK_EVENT $BKP_HOOK_STATUS $BKP_HOOK_EXIT_CODE $(cat data/file)" >> ${logFile}`;
  return {
    site,
    id,
    content: () => readFileSync(join(site.root, 'data/file'), 'utf8'),
    log: () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''),
    logging,
  };
}

const everywhere = (command: string): Partial<HookSettings> => ({
  beforeRestore: command,
  afterRestore: command,
  finally: command,
});

describe('hooks of a restore in place', () => {
  it('run before and after it, and at its end', async () => {
    const { site, id, log, logging } = await changed();
    const { findings } = await restore(site, id, everywhere(logging));
    expect(findings).toEqual([]);
    expect(log()).toBe('beforeRestore   new\nafterRestore done 0 old\nfinally done 0 old\n');
  });

  it('end it before anything is touched where beforeRestore fails; the others run', async () => {
    const { site, id, content, log, logging } = await changed();
    const failed = await failure(restore(site, id, { ...everywhere(logging), beforeRestore: `${logging}; exit 3` }));
    expect(failed).toMatchObject({ id: 'hook-failed', exitCode: 1 });
    expect(failed.message).toMatch(/^the hook beforeRestore failed: "echo .*" ended with exit code 3$/);
    expect(content()).toBe('new');
    expect(log()).toBe('beforeRestore   new\nafterRestore failed 1 new\nfinally failed 1 new\n');
    expect(existsSync(join(site.root, '.bkp-restore'))).toBe(false);
  });

  it('are noted where they fail after a restore that succeeded', async () => {
    const { site, id, content } = await changed();
    const { findings } = await restore(site, id, { afterRestore: ['false'], finally: ['no-such-program'] });
    expect(content()).toBe('old');
    expect(findings).toMatchObject([
      { id: 'hook-failed', kind: 'note', message: 'the hook afterRestore failed: "false" ended with exit code 1' },
      {
        id: 'hook-failed',
        kind: 'note',
        message: expect.stringMatching(/^the hook finally failed: .* not found/) as string,
      },
    ]);
  });

  it('are told with the failure of the restore where they fail too', async () => {
    const { site, id } = await changed();
    const failed = await failure(restore(site, id, everywhere('exit 4')));
    expect(failed.id).toBe('hook-failed');
    expect(failed.message).toMatch(
      /^the hook beforeRestore failed: .*the hook afterRestore failed: .*the hook finally/s,
    );
  });

  it('start nothing that was not stopped: where another run holds the lock, only finally runs', async () => {
    const { site, id, content, log, logging } = await changed();
    const lock = await site.storage.lock({ ...deps(), holder: 'test', wait: 0 });
    const failed = await failure(restore(site, id, everywhere(logging)));
    lock.release();
    expect(failed.id).toBe('lock-held');
    expect(log()).toBe('finally failed 11 new\n');
    expect(content()).toBe('new');
  });

  it('run to their end on a signal, which ends beforeRestore', async () => {
    const { site, id, content, log, logging } = await changed();
    const controller = new AbortController();
    const running = failure(
      restore(site, id, {
        ...everywhere(logging),
        beforeRestore: `${logging}; sleep 300`,
        signal: controller.signal,
      }),
    );
    for (let n = 0; n < 400 && log() === ''; n += 1) await sleep(25);
    controller.abort(new BkpError('interrupted', 'interrupted (SIGINT)'));
    expect(await running).toMatchObject({ id: 'interrupted', exitCode: 130 });
    expect(content()).toBe('new');
    expect(log()).toBe('beforeRestore   new\nafterRestore failed 130 new\nfinally failed 130 new\n');
  });

  it('find every lock let go in finally, and the instance still held in afterRestore', async () => {
    const { site, id } = await changed();
    const seen = join(temporaryFolder(), 'seen');
    await restore(site, id, {
      afterRestore: `test -e .bkp-restore && echo held >> ${seen}`,
      finally: `test -e .bkp-restore || echo free >> ${seen}`,
    });
    expect(readFileSync(seen, 'utf8')).toBe('held\nfree\n');
  });
});

function commits(file: string): number {
  const database = new Database(file, { readonly: true });
  try {
    return database.prepare<[], number>("SELECT value FROM counters WHERE name = 'commits'").pluck().get() ?? -1;
  } finally {
    database.close();
  }
}

describe('an application that hooks stop and start', () => {
  it('loses nothing that it committed until it was stopped', async () => {
    const site = siteCopy();
    const { id } = await create(site);
    const outside = temporaryFolder();
    const [pid, report] = [join(outside, 'pid'), join(outside, 'report')];
    const start = `rm -f ${report}; '${process.execPath}' '${writeLoad}' "$PWD" --pause-ms 3 > ${report} 2>&1 & echo $! > ${pid}`;
    const stop = `kill $(cat ${pid}); while ! test -s ${report}; do sleep 0.05; done; cp ${report} ${report}.stopped`;
    const before = commits(join(site.root, 'var/system.brain'));
    const { runHook } = await import('../../src/system/hooks.js');
    const env = { BKP_HOOK_EVENT: '', BKP_HOOK_ID: '', BKP_HOOK_STATUS: '', BKP_HOOK_EXIT_CODE: '', BKP_HOOK_FILE: '' };
    expect(await runHook(start, { env, cwd: site.root, timeout: 5000 })).toEqual({ ok: true });
    for (let n = 0; n < 400 && commits(join(site.root, 'var/system.brain')) < before + 5; n += 1) await sleep(25);
    const { safety, findings } = await restore(site, id, { beforeRestore: stop, afterRestore: start });
    expect(findings).toEqual([]);
    const written = JSON.parse(readFileSync(`${report}.stopped`, 'utf8')) as { commits: number; errors: number };
    expect(written.errors).toBe(0);
    expect(written.commits).toBeGreaterThanOrEqual(5);
    // It was started again, on what was restored.
    const live = join(site.root, 'var/system.brain');
    for (let n = 0; n < 400 && commits(live) <= before; n += 1) await sleep(25);
    process.kill(Number(readFileSync(pid, 'utf8')), 'SIGTERM');
    for (let n = 0; n < 400 && !(existsSync(report) && readFileSync(report, 'utf8') !== ''); n += 1) await sleep(25);
    const again = JSON.parse(readFileSync(report, 'utf8')) as { commits: number; errors: number };
    expect(again.errors).toBe(0);
    expect(commits(live)).toBe(before + again.commits);
    // What it had committed before is in the safety backup.
    await restore(site, safety?.id ?? '', {});
    for (const name of ['system.brain', 'user.brain']) {
      expect(commits(join(site.root, 'var', name))).toBe(before + written.commits);
    }
  });
});
