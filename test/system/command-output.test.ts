import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { commandOutput, type CommandOutput } from '../../src/system/command-output.js';
import { temporaryFolder } from '../helpers/surroundings.js';

function outputOf(
  code: string,
  more: { readonly timeout?: number; readonly cwd?: string } = {},
): Promise<CommandOutput> {
  const { signal } = new AbortController();
  const words = ['/bin/sh', '-c', code];
  return commandOutput({ words, cwd: temporaryFolder(), timeout: 20_000, maxBytes: 4096, signal, ...more });
}

const textOf = async (code: string): Promise<string> => {
  const output = await outputOf(code);
  return output.ok ? output.bytes.toString() : output.reason;
};

it('is all that a command prints on standard output, byte for byte', async () => {
  expect(await textOf('printf "a\\n\\tb"; echo c >&2; sleep 0.05; printf c')).toBe('a\n\tbc');
});

it('comes from a command that knows no passphrase and has neither input nor terminal', async () => {
  process.env['BKP_PASSPHRASE'] = 'secret';
  try {
    expect(await textOf('env; cat; (exec < /dev/tty) && echo terminal')).not.toMatch(/PASSPHRASE|terminal/);
  } finally {
    delete process.env['BKP_PASSPHRASE'];
  }
});

it('is waited for where the command hands its output on, and no longer than the limit', async () => {
  expect(await textOf('(sleep 0.2; echo later) & exit 0')).toBe('later\n');
  // One that leaves its group cannot be ended, and is not waited for.
  const cwd = temporaryFolder();
  const escaped = await outputOf('setsid sleep 60 & echo $! > pid', { cwd, timeout: 300 });
  expect(escaped).toEqual({ ok: false, reason: 'took longer than 0.3 s and was ended' });
  // Throws where it is gone.
  process.kill(Number(readFileSync(join(cwd, 'pid'), 'utf8')), 'SIGKILL');
});

it('has limits: one byte more is a failure', async () => {
  expect((await textOf('head -c 4096 /dev/zero')).length).toBe(4096);
  expect(await textOf('head -c 4097 /dev/zero')).toBe('printed more than 4096 bytes');
});
