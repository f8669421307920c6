import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasTool } from '../helpers/cli.js';
import { openTerminal } from '../helpers/terminal.js';
import { archivesIn, binary, folder, namesIn, site, siteWithBackup, storageOf } from './cli.js';

const typed = 'correct-horse-ü';

/** A terminal on which an encrypted backup is about to be made. */
function asked(options = '') {
  const root = site();
  const command = `${process.execPath} ${binary} -C ${root} create --encrypt ${options}`;
  return { root, ...openTerminal(command) };
}

const first = /Passphrase for the new archive \(it is not shown\): *$/m;
const second = /The same once more: *$/m;

describe.skipIf(!hasTool('tmux'))('the passphrase of a new archive on a terminal', () => {
  it('is asked for twice, and never shown', async () => {
    const { root, until, press } = asked();
    await until(first);
    expect(existsSync(storageOf(root))).toBe(false);
    press('-l', 'x');
    press('BSpace');
    press('-l', typed);
    press('Enter');
    await until(second);
    press('-l', typed);
    press('Enter');
    const seen = await until(/exit \d+/);
    expect(seen).toContain('exit 0');
    expect(seen).not.toMatch(/correct|horse|note:/);
    expect(archivesIn(root)).toHaveLength(1);
  });

  it('is asked for again where it is empty, too long or not the same, three times in all', async () => {
    const { root, until, press } = asked();
    await until(first);
    press('Enter');
    await until(/What was typed is empty\.\n.*not shown/);
    press('-l', 'x'.repeat(100));
    press('Enter');
    await until(/What was typed has 100 bytes; with more than 99, 7-Zip could not open the archive\.\n.*not shown/);
    press('-l', typed);
    press('Enter');
    await until(second);
    press('-l', 'another');
    press('Enter');
    const seen = await until(/exit \d+/);
    expect(seen).toMatch(/error: what was typed is not the same as before/);
    expect(seen).toContain('exit 12');
    expect(seen).not.toMatch(/correct|another/);
    expect(existsSync(storageOf(root))).toBe(false);
  });

  it('is not shown either after a question that shows what is typed', async () => {
    const { root, id } = await siteWithBackup();
    writeFileSync(join(root, '.backuprc'), 'encryption: { enabled: true }\n', { mode: 0o600 });
    const { until, press } = openTerminal(`${process.execPath} ${binary} -C ${root} restore latest`);
    await until(/to replace what is there: *$/m);
    press(id, 'Enter');
    for (const question of [first, second]) {
      await until(question);
      press('-l', typed);
      press('Enter');
    }
    expect(await until(/exit \d+/)).not.toMatch(/correct|horse/);
  });

  it.each([
    { what: 'Ctrl-C', key: 'C-c', says: /^error: interrupted/m, code: 130 },
    { what: 'Ctrl-D', key: 'C-d', says: /error: no passphrase was typed/, code: 12 },
  ])('makes nothing after $what', async ({ key, says, code }) => {
    const { root, until, press } = asked();
    const before = namesIn(join(root, 'var'));
    await until(first);
    press('-l', 'half');
    if (key === 'C-d') press('C-u');
    press(key);
    const seen = await until(/exit \d+/);
    expect(seen).toMatch(says);
    expect(seen).toContain(`exit ${code}`);
    expect(namesIn(join(root, 'var'))).toEqual(before);
  });

  it('is warned about where it is short, and asked for while standard output goes elsewhere', async () => {
    const out = join(folder(), 'site.zip');
    const { until, press } = asked(`-o - > ${out}`);
    for (const question of [first, second]) {
      await until(question);
      press('-l', 'short');
      press('Enter');
    }
    expect(await until(/exit \d+/)).toMatch(/note: the passphrase has fewer than 12 characters[^]*exit 0/);
    expect(existsSync(out)).toBe(true);
  });

  it('is not asked for with --no-input', async () => {
    const { until } = asked('--no-input');
    expect(await until(/exit \d+/)).toMatch(/error: there is no passphrase[^]*--passphrase-file[^]*exit 12/);
  });
});

describe.skipIf(!hasTool('tmux'))('a stream on a terminal', () => {
  it.each([
    { how: 'with -o -', line: 'create -o -', says: /error: an archive is never written to a terminal\n/ },
    {
      how: 'in read-only mode',
      line: 'create',
      says: /error: an archive is never written to a terminal, and read-only mode \(readOnly, or BKP_READ_ONLY\)/,
    },
  ])('is refused $how', async ({ line, says }) => {
    const root = site();
    const command = `${process.execPath} ${binary} -C ${root} ${line}`;
    const { until } = openTerminal(`BKP_READ_ONLY=${line === 'create' ? 1 : 0} ${command}`);
    const seen = await until(/exit \d+/);
    expect(seen).toMatch(says);
    expect(seen).toContain('exit 2');
    expect(existsSync(storageOf(root))).toBe(false);
  });
});
