import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withCleanup } from '../../src/base/cleanup.js';
import { silentProgress } from '../../src/base/progress.js';
import type { PassphraseSource } from '../../src/config/passphrase-source.js';
import type { CommandDeps } from '../../src/commands/job.js';
import { runPassphrase, type RunPassphrase } from '../../src/commands/run-passphrase.js';
import type { View } from '../../src/ui/output.js';
import { failure } from '../helpers/instance.js';
import { temporaryFolder } from '../helpers/surroundings.js';

const question = { file: '/a.zip', hint: undefined };

/** That of a run without a terminal, and what it told. */
function using<T>(source: PassphraseSource | undefined, work: (one: RunPassphrase, told: View[]) => Promise<T>) {
  const told: View[] = [];
  const output = {
    progress: silentProgress,
    divert: () => undefined,
    start: () => undefined,
    step: () => undefined,
    render: (view: View) => void told.push(view),
    fail: () => undefined,
  };
  const deps: CommandDeps = {
    cwd: '/',
    env: {},
    signal: new AbortController().signal,
    output,
    stdout: {
      isTerminal: false,
      isNowhere: () => false,
      file: () => undefined,
      handOver: () => ({ write: () => Promise.resolve() }),
    },
    elapsed: () => 0,
    kept: {},
  };
  return withCleanup((cleanup) =>
    work(runPassphrase({ passphrase: source, noInput: true }, false, deps, cleanup), told),
  );
}

function source(text: string): PassphraseSource & { readonly kind: 'file' } {
  const path = join(temporaryFolder(), 'p');
  writeFileSync(path, text, { mode: 0o644 });
  return { kind: 'file', place: '--passphrase-file', path };
}

it('is read once for all archives of a run, warned about once, and wiped at its end', async () => {
  const from = source('correct horse battery\n');
  const kept = await using(from, async (one, told) => {
    const [first, second] = await Promise.all([one.ask(question), one.ask({ file: '/b.zip', hint: 'x' })]);
    rmSync(from.path);
    expect(await one.ask(question)).toBe(first);
    expect(second).toBe(first);
    expect(first.bytes.toString()).toBe('correct horse battery');
    expect(await one.forNew('in the safe')).toEqual({ passphrase: first, hint: 'in the safe' });
    expect(told.map(({ remark }) => remark)).toEqual([expect.stringContaining('mode 0644')]);
    return { bytes: first.bytes, first };
  });
  expect(kept.bytes.every((byte) => byte === 0)).toBe(true);
  expect(() => kept.first.bytes).toThrow('forgotten');
});

it('takes a long one to open an archive that is there, and none for a new one', async () => {
  await using(source('x'.repeat(120)), async (one) => {
    expect((await one.ask(question)).bytes).toHaveLength(120);
    expect(await failure(one.forNew(undefined))).toMatchObject({ id: 'passphrase-missing', exitCode: 12 });
  });
});

it('is missing where nothing says where it is and nobody can be asked, and nothing is to be wiped', async () => {
  await using(undefined, async (one) => {
    expect(await failure(one.ask(question))).toMatchObject({ id: 'passphrase-missing' });
  });
});
