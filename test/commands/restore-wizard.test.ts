import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { hasTool } from '../helpers/cli.js';
import { describeTree } from '../helpers/instance.js';
import { openTerminal } from '../helpers/terminal.js';
import { archivesIn, binary, bkp, folder, site, siteWithBackup, storageOf } from './cli.js';

const call = (root: string, ...args: readonly string[]): string =>
  [process.execPath, binary, '-C', root, 'restore', ...args].join(' ');

const list = /Which backup of site is to be put back\?/;
const sources = /The backup is proven\. What is to be put back\?/;
const phrase = /Type \S+ to replace what is there: *$/m;

/** Files that are named as backups of long ago, and are none. */
function addOldOnes(root: string, count: number): void {
  for (let year = 0; year < count; year += 1)
    writeFileSync(join(storageOf(root), `${2024 - year}0101T000000Z-manual.zip`), 'nonsense');
}

describe.skipIf(!hasTool('tmux'))('bkp restore without a backup, on a terminal', () => {
  it('asks for the backup, proves it, asks for sources and the id, and restores only those', async () => {
    const { root, id } = await siteWithBackup();
    addOldOnes(root, 20);
    const [upload, entry] = [join(root, 'var/uploads/later.txt'), join(root, 'var/snapshots/later.txt')];
    for (const file of [upload, entry]) writeFileSync(file, 'later');
    const { until, press, resize, ask } = openTerminal(call(root), { columns: 60, rows: 10 });
    const first = await until(/1 of 21/);
    expect(first).toMatch(list);
    expect(first).toMatch(new RegExp(`^> +1 +${id} .*ok$`, 'm'));
    press('End');
    expect(await until(/21 of 21/)).toMatch(/^> 21 +20050101T000000Z-manual .*bad$[^]*^It is damaged\.$/m);
    resize(30, 5);
    expect(await until(/21 of 21[^]*$/)).toMatch(/^> 21 +2005/m);
    resize(120, 30);
    expect(await until(/^ +1 +\S+-manual/m)).toMatch(/^> 21 +2005/m);
    press('-l', '2010');
    expect(await until(/2010: Enter takes it/)).toMatch(/^> 16 +2010/m);
    press('-l', 'x');
    await until(/2010x: there is none that begins so/);
    // Which takes nothing, and nothing else either.
    press('Enter');
    press('Home', 'Enter');
    await until(sources);
    expect(await ask('#{alternate_on}')).toBe('1');
    press('a', 'Enter');
    await until(/Nothing is chosen: turn one on\./);
    press('End', 'Space');
    expect(await until(/^1 source,.*: uploads$/m)).toMatch(/^> +5 +\[x\] +uploads/m);
    press('Enter');
    const plan = await until(phrase);
    expect(plan).toContain(`Restoring ${id} in place`);
    expect(plan).toMatch(/^uploads +0 +0 +1 +43 /m);
    expect(plan).toContain('left out  system.brain, user.brain, snapshots');
    expect(existsSync(upload)).toBe(true);
    press(id, 'Enter');
    const done = await until(/exit \d+/);
    expect(done).toMatch(/is restored; every file[^]*lies in\s+\/\S+-safety\.zip\n[^]*restore --undo[^]*exit 0/);
    expect([existsSync(upload), existsSync(entry)]).toEqual([false, true]);
  });

  it('asks again for a passphrase that does not open the backup, and says the comment of the one at hand', async () => {
    const root = site();
    const file = join(folder(), 'pass');
    writeFileSync(file, 'correct horse battery', { mode: 0o600 });
    await bkp(['-C', root, 'create', '--encrypt', '--passphrase-file', file]);
    await bkp(['-C', root, 'create', '--comment', 'before the update', '--only', 'uploads']);
    const before = describeTree(root);
    const loop = `for n in 1 2; do clear; ${call(root, '--dry-run')}; echo "left $n $?"; read go; done`;
    const { until, press } = openTerminal(`${loop}; clear; ${call(root, '--dry-run')}`);
    const type = (text: string): void => {
      press('-l', text);
      press('Enter');
    };
    const chooseEncrypted = async (): Promise<void> => {
      expect(await until(/1 of 2/)).toMatch(/^Its comment: before the update *\n1 of 2/m);
      press('End');
      expect(await until(/2 of 2/)).not.toContain('Its comment');
      press('Enter');
      await until(/^Passphrase of \S+: *$/m);
    };
    /** What is said ahead of the question that follows so many. */
    const again = (times: number, says = 'It does not open with that'): RegExp =>
      new RegExp(`(?:^Passphrase of [^]*){${times}}^${says}\\.\nPassphrase of \\S+: *$`, 'm');
    await chooseEncrypted();
    for (const [at, text] of ['wrong', '', 'wrong'].entries()) {
      type(text);
      await until(text === '' ? again(at + 1, 'What was typed is empty') : again(at + 1));
    }
    type('wrong');
    expect(await until(/left 1 \d+/)).toMatch(/error: the passphrase is not that of [^]*left 1 12/);
    press('Enter');
    await chooseEncrypted();
    type('wrong');
    await until(again(1));
    press('Escape');
    expect(await until(/left 2 \d+/)).toMatch(/interrupted \(Esc\)[^]*left 2 130/);
    press('Enter');
    await chooseEncrypted();
    type('wrong');
    await until(again(1));
    type('correct horse battery');
    await until(sources);
    press('Enter');
    expect(await until(/exit \d+/)).toMatch(/Restoring \S+ in place[^]*Nothing was written[^]*exit 0/);
    expect(describeTree(root)).toEqual(before);
  });

  it('can be left with Esc and Ctrl-C at each step: nothing is changed, and the terminal is as it was', async () => {
    const root = site();
    const file = join(folder(), 'pass');
    writeFileSync(file, 'correct horse battery', { mode: 0o600 });
    await bkp(['-C', root, 'create', '--encrypt', '--passphrase-file', file]);
    const before = describeTree(root);
    const loop = `modes=$(stty -g); for n in 1 2 3 4 5 6 7 8; do clear; ${call(root)}; echo "left $n $?"; read go; done`;
    const { until, press, ask } = openTerminal(`${loop}; [ "$modes" = "$(stty -g)" ] && echo as before`);
    const steps = [
      { seen: list, keys: ['Enter'] },
      { seen: /Passphrase of \S+: *$/m, keys: ['-l', 'correct horse battery'] },
      { seen: sources, keys: ['Enter'] },
      { seen: phrase, keys: [] },
    ];
    let run = 0;
    for (const leave of ['Escape', 'C-c']) {
      for (const last of steps.keys()) {
        run += 1;
        for (const { seen, keys } of steps.slice(0, last)) {
          await until(seen);
          press(...keys);
          if (keys[0] === '-l') press('Enter');
        }
        await until(steps[last]!.seen);
        press(leave);
        expect(await until(new RegExp(`left ${run} \\d+`))).toContain(`left ${run} 130`);
        press('Enter');
        await until(run < 2 * steps.length ? list : /as before/);
      }
    }
    expect(await ask('#{alternate_on} #{cursor_flag}')).toBe('0 1');
    expect(describeTree(root)).toEqual(before);
  });

  it('can be left with Esc while a backup is read', async () => {
    const module = pathToFileURL(join(binary, '../../dist/ui/escape-watch.js')).href;
    const script = join(folder(), 'watch.mjs');
    writeFileSync(
      script,
      `import { EscapeWatch } from ${JSON.stringify(module)};
const controller = new AbortController();
process.on('SIGINT', () => controller.abort());
new EscapeWatch(controller.signal).start();
console.log('reading');
const busy = setInterval(() => undefined, 100);
controller.signal.addEventListener('abort', () => { clearInterval(busy); console.log('ended'); });`,
    );
    const { until, press } = openTerminal(`${process.execPath} ${script}`);
    await until(/reading/);
    press('Escape');
    await until(/ended\n+exit 0/);
  });

  it('asks for numbers where the cursor cannot be moved', async () => {
    const { root, id } = await siteWithBackup();
    addOldOnes(root, 2);
    const { until, press } = openTerminal(`TERM=dumb ${call(root, '--dry-run')}`);
    expect(await until(/beginning of an id \[1\]: *$/m)).toMatch(new RegExp(`^ *1 +${id} `, 'm'));
    press('x', 'Enter');
    await until(/x: there is none that begins so/);
    press('1', 'Enter');
    await until(/Enter to go on: *$/m);
    press('1,4', 'Enter');
    await until(/^1 source, .*: uploads\n[^]*Enter to go on: *$/m);
    press('4', 'Enter');
    await until(/^2 sources,.*: snapshots, uploads\n[^]*Enter to go on: *$/m);
    press('Enter');
    const seen = await until(/exit \d+/);
    expect(seen).toMatch(/^uploads +0 +0 +0 +43 [^]*left out +system\.brain, user\.brain/m);
    expect(seen).toContain('exit 0');
    expect(archivesIn(root)).toHaveLength(3);
  });

  it('names what to pass where nobody is to be asked, as without a terminal', async () => {
    const empty = folder();
    const ways = ['--no-input', '--json', '--confirm x', '--target /nowhere', '| cat'];
    const { until } = openTerminal(ways.map((way) => call(empty, way)).join('; '));
    const seen = await until(/exit \d+/);
    expect(seen.match(/no backup is named/g)).toHaveLength(ways.length);
  });
});
