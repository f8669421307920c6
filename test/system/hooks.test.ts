import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runHook, shownCommand, type HookCommand, type HookResult, type HookRun } from '../../src/system/hooks.js';
import { oddNames, temporaryFolder } from '../helpers/surroundings.js';

const told = {
  BKP_HOOK_EVENT: 'afterRestore',
  BKP_HOOK_ID: '20251030T120000Z-daily',
  BKP_HOOK_STATUS: 'done',
  BKP_HOOK_EXIT_CODE: '0',
  BKP_HOOK_FILE: '/backups/20251030T120000Z-daily.zip',
};

function run(command: HookCommand, more: Partial<HookRun> = {}): Promise<HookResult> {
  return runHook(command, { env: told, cwd: temporaryFolder(), timeout: 20_000, ...more });
}

function isRunning(pid: number): boolean {
  // A process that nobody waited for is gone, though it has a number still.
  const shown = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return shown.status === 0 && !shown.stdout.startsWith('Z');
}

async function pidIn(file: string): Promise<number> {
  for (let n = 0; n < 400 && !(existsSync(file) && readFileSync(file, 'utf8').endsWith('\n')); n += 1) await sleep(25);
  return Number(readFileSync(file, 'utf8'));
}

describe('a hook', () => {
  it('is words that are run without a shell, whatever they are', async () => {
    const cwd = temporaryFolder();
    const print = 'require("fs").writeFileSync("words", JSON.stringify(process.argv.slice(1)))';
    const odd = [...oddNames, '', '; touch injected', '$(touch injected)', '`touch injected`', '*'];
    expect(await run([process.execPath, '-e', print, '--', ...odd], { cwd })).toEqual({ ok: true });
    expect(JSON.parse(readFileSync(join(cwd, 'words'), 'utf8'))).toEqual(odd);
    expect(existsSync(join(cwd, 'injected'))).toBe(false);
  });

  it('is a text that a shell runs, in the folder', async () => {
    const cwd = temporaryFolder();
    expect(await run('pwd > here &&\ncat here | tr a-z A-Z > "loud words"', { cwd })).toEqual({ ok: true });
    expect(readFileSync(join(cwd, 'loud words'), 'utf8')).toBe(`${cwd.toUpperCase()}\n`);
  });

  it('may be a file in the folder, told by a relative path', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'stop.sh'), '#!/bin/sh\ntouch stopped\n', { mode: 0o755 });
    expect(await run(['./stop.sh'], { cwd })).toEqual({ ok: true });
    expect(existsSync(join(cwd, 'stopped'))).toBe(true);
  });

  it('has failed where it ends with another code than 0, or by a signal', async () => {
    expect(await run('exit 3')).toEqual({ ok: false, reason: 'ended with exit code 3', exitCode: 3 });
    expect(await run(['false'])).toEqual({ ok: false, reason: 'ended with exit code 1', exitCode: 1 });
    expect(await run('kill -KILL $$')).toEqual({ ok: false, reason: 'was ended by SIGKILL' });
  });

  it('has failed where it cannot be found or started', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'plain'), 'touch x\n', { mode: 0o644 });
    writeFileSync(join(cwd, 'lost.sh'), '#!/no/such/interpreter\n', { mode: 0o755 });
    const notFound = { ok: false, reason: 'was not found, or names an interpreter that was not found' };
    expect(await run(['no-such-program'], { cwd })).toEqual(notFound);
    expect(await run(['./lost.sh'], { cwd })).toEqual(notFound);
    expect(await run(['./plain'], { cwd })).toEqual({ ok: false, reason: 'may not be executed' });
    expect(await run('no-such-program', { cwd })).toMatchObject({ ok: false, exitCode: 127 });
    expect(await run(['true', 'nul\0'], { cwd })).toMatchObject({ ok: false });
    expect(await run(['true', 'x'.repeat(4_000_000)], { cwd })).toMatchObject({ ok: false });
  });

  it('is told of the event, and of no passphrase', async () => {
    const cwd = temporaryFolder();
    const secrets = ['BKP_PASSPHRASE', 'BKP_PASSPHRASE_FILE', 'BKP_PASSPHRASE_COMMAND', 'BKP_HOOK_OTHER'];
    for (const name of secrets) process.env[name] = 'secret';
    process.env['BKP_HOOK_EVENT'] = 'outer';
    process.env['BKP_TEST_SEEN'] = 'seen';
    onTestFinished(() => {
      for (const name of [...secrets, 'BKP_HOOK_EVENT', 'BKP_TEST_SEEN']) Reflect.deleteProperty(process.env, name);
    });
    expect(await run('env > seen', { cwd })).toEqual({ ok: true });
    const seen = readFileSync(join(cwd, 'seen'), 'utf8').split('\n');
    const ours = seen.filter(
      (line) => line.startsWith('BKP_') && !/^BKP_(?:REQUIRE_TOOLS|TEST_ROUNDS|TEST_PROCESSES)=/.test(line),
    );
    expect(ours.sort()).toEqual([...Object.entries(told).map(([k, v]) => `${k}=${v}`), 'BKP_TEST_SEEN=seen'].sort());
    expect(seen).toContain(`PATH=${process.env['PATH'] ?? ''}`);
  });

  it('prints to standard error and reads nothing', () => {
    const hooks = JSON.stringify(fileURLToPath(new URL('../../dist/system/hooks.js', import.meta.url)));
    const request = JSON.stringify({ env: told, cwd: '/', timeout: 20_000 });
    const program = `const { runHook } = await import(${hooks});
      console.log(JSON.stringify(await runHook('echo out; echo err >&2; cat', ${request})));`;
    const ran = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
      input: 'typed',
    });
    expect(ran).toMatchObject({ status: 0, stdout: '{"ok":true}\n', stderr: 'out\nerr\n' });
  });

  it('goes on in what it left running when it ended', async () => {
    const cwd = temporaryFolder();
    expect(await run('sleep 300 > /dev/null 2>&1 & echo $! > pid', { cwd })).toEqual({ ok: true });
    const pid = await pidIn(join(cwd, 'pid'));
    expect(isRunning(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
  });
});

describe('a hook that takes too long', () => {
  it('is ended, with all that it started', async () => {
    const cwd = temporaryFolder();
    const result = await run('sleep 300 & echo $! > child; echo $$ > self; wait', { cwd, timeout: 700 });
    expect(result).toEqual({ ok: false, reason: 'took longer than 0.7 s and was ended' });
    expect(isRunning(await pidIn(join(cwd, 'child')))).toBe(false);
    expect(isRunning(await pidIn(join(cwd, 'self')))).toBe(false);
  });

  it('may tidy up when it is asked to end', async () => {
    const cwd = temporaryFolder();
    const command = "trap 'echo tidied > tidied; exit 0' TERM; sleep 300 & wait";
    expect(await run(command, { cwd, timeout: 700 })).toMatchObject({ ok: false });
    expect(existsSync(join(cwd, 'tidied'))).toBe(true);
  });

  it('is killed after five seconds where it does not listen', async () => {
    const cwd = temporaryFolder();
    const started = performance.now();
    const command = "trap '' TERM; sleep 300 & echo $! > child; echo $$ > self; wait";
    expect(await run(command, { cwd, timeout: 700 })).toMatchObject({ ok: false });
    expect(performance.now() - started).toBeGreaterThan(5500);
    expect(isRunning(await pidIn(join(cwd, 'child')))).toBe(false);
    expect(isRunning(await pidIn(join(cwd, 'self')))).toBe(false);
  });
});

describe('an abort', () => {
  it('ends the hook and what it started', async () => {
    const cwd = temporaryFolder();
    const controller = new AbortController();
    const running = run('sleep 300 & echo $! > child; wait', { cwd, signal: controller.signal });
    const child = await pidIn(join(cwd, 'child'));
    controller.abort();
    expect(await running).toEqual({ ok: false, reason: 'was interrupted' });
    expect(isRunning(child)).toBe(false);
  });

  it('before the hook starts nothing', async () => {
    const cwd = temporaryFolder();
    expect(await run('touch ran', { cwd, signal: AbortSignal.abort() })).toEqual({
      ok: false,
      reason: 'was interrupted',
    });
    expect(existsSync(join(cwd, 'ran'))).toBe(false);
  });
});

it('a command is shown on one line', () => {
  expect(shownCommand(['systemctl', 'stop', 'site'])).toBe('"systemctl stop site"');
  expect(shownCommand('one\ntwo\u001b[0m\n')).toBe('"one\\ntwo\\u001b[0m"');
  expect(shownCommand('x'.repeat(200))).toHaveLength(123);
});
