import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import { BkpError } from '../../src/base/errors.js';
import { openCatalog } from '../../src/catalog/catalog.js';
import { runBackup, type BackupRun, type BackupRunResult } from '../../src/operations/backup-run.js';
import { configuredHooks, type HookSettings } from '../../src/operations/configured-hooks.js';
import { configuredMonitor, noMonitor } from '../../src/operations/monitor.js';
import { noHooks } from '../../src/operations/run-hooks.js';
import {
  createRequest,
  deps,
  directory,
  failure,
  instance,
  stored,
  verify,
  type Instance,
} from '../helpers/instance.js';
import { monitoringService } from '../helpers/monitoring-service.js';
import { temporaryFolder } from '../helpers/surroundings.js';

const site = (): Promise<Instance> => instance({ data: { file: 'content' } }, [directory('data')]);

interface Options extends Partial<Omit<BackupRun, 'request' | 'hooks' | 'monitor'>> {
  readonly hooks?: Partial<HookSettings>;
  /** Of the monitor. */
  readonly url?: string;
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

async function run(of: Instance, options: Options = {}): Promise<BackupRunResult> {
  const { hooks, url, timeout = 5000, signal, ...more } = options;
  const using = deps(signal === undefined ? {} : { signal });
  const catalog = await openCatalog(of.storage.folder, systemClock);
  onTestFinished(() => catalog.close());
  const whole: BackupRun = {
    request: createRequest(of, { origin: 'daily' }),
    storage: of.storage,
    hooks: hooks === undefined ? noHooks : configuredHooks({ timeout: 30_000, ...hooks }, using, 'create'),
    monitor: url === undefined ? noMonitor : configuredMonitor({ url, timeout }, using),
    slot: 0,
    locked: false,
    copies: [],
    retention: undefined,
    ...more,
  };
  return runBackup(whole, using, catalog);
}

const lacking = (of: Instance): Instance => ({ ...of, sources: [...of.sources, directory('missing')] });
const keepOne = {
  retentions: new Map([['daily', { policy: { keepLast: 1 }, timezone: 'UTC' }]]),
  schedule: 'daily',
  knownBad: new Set<string>(),
};
const archives = (names: readonly string[]): readonly string[] => names.filter((name) => name.endsWith('.zip'));

describe('copies of a backup', () => {
  it('lie in each further folder, with their checksum, and are pruned as the storage is', async () => {
    const of = await site();
    const folder = temporaryFolder();
    const first = await run(of, { copies: [folder] });
    const second = await run(of, { copies: [folder], retention: keepOne });
    expect([first.exitCode, second.exitCode, second.findings]).toEqual([0, 0, []]);
    const name = `${second.id}.zip`;
    expect(second.copied).toEqual([join(folder, name)]);
    const inFolder = readdirSync(folder).filter((file) => file !== '.bkp.lock');
    expect(inFolder.sort()).toEqual([name, `${name}.sha256`]);
    expect(archives(stored(of))).toEqual([name]);
    expect(readFileSync(join(folder, name)).equals(readFileSync(second.file))).toBe(true);
    expect(readFileSync(join(folder, `${name}.sha256`), 'utf8')).toContain(second.sha256);
    expect(await verify(join(folder, name))).toMatchObject({ verdict: 'intact' });
  });

  it('that fail make the run incomplete, not the archive; nothing is removed, and the other folders get theirs', async () => {
    const of = await site();
    const good = temporaryFolder();
    const gone = join(temporaryFolder(), 'unmounted');
    const first = await run(of);
    const made = await run(of, { copies: [gone, good], retention: keepOne });
    expect(made).toMatchObject({ exitCode: 3, complete: true, verified: true, pruned: undefined });
    expect(made.findings).toMatchObject([{ id: 'copy-failed', kind: 'fault' }]);
    expect(made.findings[0]?.message).toContain(gone);
    expect(made.manifest.findings).toEqual([]);
    expect(made.copied).toEqual([join(good, `${made.id}.zip`)]);
    expect(existsSync(gone)).toBe(false);
    expect(archives(stored(of))).toEqual([`${first.id}.zip`, `${made.id}.zip`]);
    const catalog = await openCatalog(of.storage.folder, systemClock);
    expect(catalog.run('latest')).toMatchObject({
      run: { state: 'incomplete', exitCode: 3, backup: made.id },
      findings: [{ id: 'copy-failed' }],
    });
    catalog.close();
  });

  it('of an incomplete backup are made too', async () => {
    const of = await site();
    const folder = temporaryFolder();
    const made = await run(lacking(of), { copies: [folder], retention: keepOne });
    expect(made).toMatchObject({ exitCode: 3, complete: false, pruned: undefined });
    expect(made.copied).toHaveLength(1);
  });
});

describe('the monitor', () => {
  it('hears of the beginning and of a success', async () => {
    const { url, asked } = await monitoringService();
    expect((await run(await site(), { url })).findings).toEqual([]);
    expect(asked).toEqual(['GET /ping/start', 'GET /ping']);
  });

  it('hears of a failure where something is lacking: in the backup, or a copy of it', async () => {
    const { url, asked } = await monitoringService();
    const of = await site();
    const { id } = await run(lacking(of), { url });
    const copied = await run(of, { url, copies: ['/no/such/folder'] });
    expect(asked).toEqual([
      'GET /ping/start',
      `POST /ping/fail ${id} is incomplete`,
      'GET /ping/start',
      `POST /ping/fail ${copied.id} is incomplete`,
    ]);
  });

  it('hears why there is no backup', async () => {
    const { url, asked } = await monitoringService();
    const of = await site();
    const failed = await failure(run(of, { url, hooks: { beforeCreate: 'false' } }));
    expect(failed.id).toBe('hook-failed');
    expect(asked).toEqual([
      'GET /ping/start',
      expect.stringMatching(/^POST \/ping\/fail the hook beforeCreate failed/),
    ]);
  });

  it('hears of an interruption', async () => {
    const { url, asked } = await monitoringService();
    const of = await site();
    const begun = join(temporaryFolder(), 'begun');
    const controller = new AbortController();
    const hooks = { beforeCreate: `touch ${begun}; sleep 300` };
    const running = failure(run(of, { url, hooks, signal: controller.signal }));
    for (let n = 0; n < 400 && !existsSync(begun); n += 1) await sleep(25);
    controller.abort(new BkpError('interrupted', 'interrupted (SIGINT)'));
    expect(await running).toMatchObject({ id: 'interrupted' });
    expect(asked).toEqual(['GET /ping/start', 'POST /ping/fail interrupted (SIGINT)']);
  });

  it('that does not answer is waited for no longer than its timeout, and noted', async () => {
    const { url, asked } = await monitoringService(true);
    const made = await run(await site(), { url, timeout: 200 });
    expect(made).toMatchObject({ exitCode: 0, complete: true });
    expect(made.findings.map(({ id, kind }) => [id, kind])).toEqual([
      ['notify-failed', 'note'],
      ['notify-failed', 'note'],
    ]);
    expect(made.findings[0]?.message).toMatch(/^127\.0\.0\.1:\d+ was not told of the start: it did not answer within/);
    expect(asked).toEqual(['GET /ping/start', 'GET /ping']);
  });
});

describe('hooks of a run', () => {
  const log = (): { readonly command: string; readonly read: () => string } => {
    const file = join(temporaryFolder(), 'log');
    const command = `echo "$BKP_HOOK_EVENT $BKP_HOOK_STATUS $BKP_HOOK_EXIT_CODE $(basename "$BKP_HOOK_FILE")" >> ${file}`;
    return { command, read: () => readFileSync(file, 'utf8') };
  };

  it('hear in order of a copy that failed', async () => {
    const { command, read } = log();
    const hooks = { beforeCreate: command, afterCreate: command, onFailure: command, finally: command };
    const { id } = await run(await site(), { hooks, copies: ['/no/such/folder'] });
    // The archive itself is good: what stopped the application may go on.
    const told = [`afterCreate done 0 ${id}.zip`, `onFailure incomplete 3 ${id}.zip`, `finally incomplete 3 ${id}.zip`];
    expect(read()).toBe([`beforeCreate   ${id}.zip`, ...told, ''].join('\n'));
  });

  it('find the copies made at the very end', async () => {
    const folder = temporaryFolder();
    const seen = join(temporaryFolder(), 'seen');
    const { id } = await run(await site(), { copies: [folder], hooks: { finally: `ls ${folder} > ${seen}` } });
    expect(readFileSync(seen, 'utf8')).toBe(`${id}.zip\n${id}.zip.sha256\n`);
  });
});

describe('a backup that is to be locked', () => {
  it('is not removed by its own run, or a later one', async () => {
    const of = await site();
    const first = await run(of, { locked: true, retention: keepOne });
    const second = await run(of, { retention: keepOne });
    expect(archives(stored(of))).toEqual([`${first.id}.zip`, `${second.id}.zip`]);
    expect(stored(of)).toContain(`${first.id}.zip.locked`);
  });
});
