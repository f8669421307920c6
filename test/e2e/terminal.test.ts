import { randomBytes } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { bkpFile, hasTool, siteCopy } from '../helpers/cli.js';
import { openTerminal } from '../helpers/terminal.js';

const typed = fileURLToPath(new URL('../helpers/typed-cli.mjs', import.meta.url));
const narrow = { columns: 80, rows: 24 };

describe.skipIf(!hasTool('tmux'))('on a terminal', () => {
  it('create draws a bar while it works, and leaves the result alone on the screen', async () => {
    const site = siteCopy();
    // Shrinks a little, which takes its time.
    writeFileSync(join(site, 'var/uploads/large'), randomBytes(20_000_000).toString('base64'));
    const { until } = openTerminal(`${process.execPath} ${bkpFile} -C ${site} create -l 9`, narrow);
    await until(/Archiving +\[=+ *\] +\d+ % .*B\/s .* left/);
    const done = await until(/is complete; every file was read back/);
    expect(done).not.toMatch(/Archiving|Reading back/);
  });

  it('Ctrl-C ends it, and leaves nothing behind', async () => {
    const site = siteCopy();
    writeFileSync(join(site, 'var/uploads/large'), randomBytes(20_000_000));
    const { until, press } = openTerminal(`${process.execPath} ${bkpFile} -C ${site} create -l 9`, narrow);
    await until(/Archiving/);
    press('C-c');
    expect(await until(/exit \d+/)).toMatch(/error: interrupted \(SIGINT\)[\s\S]*exit 130/);
    expect(readdirSync(join(site, 'var/backups')).sort()).toEqual(['.bkp.lock', 'catalog.db']);
  });

  it.each([80, 50])('breaks lines between words alone, %i columns wide', async (columns) => {
    const site = siteCopy();
    const commands = [
      ...['list', 'doctor', '', 'create -v', 'list --josn', 'show latest', 'restore latest --dry-run', 'log 1'],
      ...['schedule set daily --every daily --at 03:30 --keep 7', 'init --dry-run', 'create --help', '--help'],
    ];
    const calls = commands.map((words) => ['-C', site, ...words.split(' ').filter((word) => word !== '')]);
    const { until, written } = openTerminal(`${process.execPath} ${typed} '${JSON.stringify(calls)}'`, {
      columns,
      rows: 24,
    });
    await until(/^exit 0$/m);
    const lines = await written();
    expect(lines.length).toBeGreaterThan(150);
    const isCommand = (text: string): boolean => /^`?bkp /.test(text);
    // Lines of a file as it is to be written.
    const isYaml = (text: string): boolean => text.trim().startsWith('#');
    const broken = lines.filter((text) => text.length > columns && text.trim().includes(' '));
    expect(broken.filter((text) => !isCommand(text.trim()) && !isYaml(text))).toEqual([]);
  });
});
