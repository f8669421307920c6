import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasTool } from '../helpers/cli.js';
import { holdDatabase, makeDatabase } from '../helpers/layout.js';
import { openTerminal } from '../helpers/terminal.js';
import { binary, bkp, controlsIn, folder, jsonLines, lastLine, namesIn, site } from './cli.js';

/** A folder with two databases that nothing is known of, one of them open, and a folder of files. */
function application(): { readonly root: string; readonly written: () => string } {
  const root = join(folder(), 'my app');
  makeDatabase(join(root, 'state/main.sqlite'));
  holdDatabase(join(root, 'state/main.sqlite')).commit();
  makeDatabase(join(root, 'log.db'), { wal: false });
  mkdirSync(join(root, 'uploads'));
  writeFileSync(join(root, 'uploads/a.txt'), 'a');
  writeFileSync(join(root, 'package.json'), '{}');
  return { root, written: () => readFileSync(join(root, '.backuprc'), 'utf8') };
}

describe('bkp init', () => {
  it('writes a file, for its owner alone, with which a backup of everything succeeds', async () => {
    const { root, written } = application();
    const ran = await bkp(['init', root, '--yes']);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(statSync(join(root, '.backuprc')).mode & 0o7777).toBe(0o600);
    expect(ran.stdout.startsWith(written())).toBe(true);
    expect(ran.stdout).toContain(`bkp -C '${root}' create`);
    const made = await bkp(['create', '--json', '-C', root]);
    expect(made.code).toBe(0);
    const sources = jsonLines(made).filter(({ type }) => type === 'source');
    expect(sources.map(({ name, files }) => [name, files])).toEqual([
      ['log.db', 1],
      ['main.sqlite', 1],
      ['state', 0],
      ['uploads', 1],
    ]);
    expect((await bkp(['verify', '-C', root])).code).toBe(0);
  });

  it('shows the file and writes nothing in a dry run', async () => {
    const { root } = application();
    const before = namesIn(root);
    const shown = await bkp(['init', '--dry-run'], { cwd: root });
    expect(shown).toMatchObject({ code: 0, stderr: 'note: nothing was written (--dry-run)\n' });
    const quiet = await bkp(['init', '--dry-run', '-q'], { cwd: root });
    expect(quiet).toMatchObject({ code: 0, stdout: shown.stdout, stderr: '' });
    expect(namesIn(root)).toEqual(before);
    await bkp(['init', '--yes'], { cwd: root });
    expect(shown.stdout).toBe(readFileSync(join(root, '.backuprc'), 'utf8'));
  });

  it('without a terminal shows the file, and refuses to write it unasked', async () => {
    const { root } = application();
    const ran = await bkp(['init'], { cwd: root });
    expect(ran.code).toBe(15);
    expect(ran.stdout).toContain('path: state/main.sqlite');
    expect(ran.stderr).toMatch(/^error: .*nothing was written\nhint: Pass --yes/m);
    expect(existsSync(join(root, '.backuprc'))).toBe(false);
  });

  it('leaves databases alone: not even a sidecar more or less', async () => {
    const { root } = application();
    // Left behind by an application that was killed: SQLite would play it back when it opens the database.
    makeDatabase(join(root, 'state/left.sqlite'));
    for (const suffix of ['-wal', '-shm'])
      writeFileSync(join(root, `state/left.sqlite${suffix}`), readFileSync(join(root, `state/main.sqlite${suffix}`)));
    const states = (): unknown =>
      namesIn(join(root, 'state')).map((name) => [name, statSync(join(root, 'state', name), { bigint: true }).ctimeNs]);
    const before = states();
    expect((await bkp(['init', '--yes'], { cwd: root })).code).toBe(0);
    expect(states()).toEqual(before);
  });

  it.each(['.backuprc', '.backuprc.json', '.backuprc.yaml', '.backuprc.yml'])('never overwrites %s', async (name) => {
    const { root } = application();
    symlinkSync('/nowhere', join(root, name));
    for (const flag of ['--yes', '--dry-run']) {
      const ran = await bkp(['init', flag, '--json'], { cwd: root });
      expect(lastLine(ran)).toMatchObject({ type: 'error', id: 'output-exists', exitCode: 15, path: join(root, name) });
    }
    expect(namesIn(root).filter((one) => one.startsWith('.backuprc'))).toEqual([name]);
  });

  it('writes none beside a key in package.json', async () => {
    const { root } = application();
    writeFileSync(join(root, 'package.json'), '{ "backup": {} }');
    const ran = await bkp(['init', '--yes', '--json'], { cwd: root });
    expect(lastLine(ran)).toMatchObject({ type: 'error', id: 'output-exists', exitCode: 15 });
    expect(namesIn(root)).not.toContain('.backuprc');
  });

  it('has nothing to say about the CMS but what holds without it', async () => {
    const root = site();
    const ran = await bkp(['init', '--yes'], { cwd: root });
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.stderr).toMatch(/^note: the CMS needs no configuration/);
    const planned = async (): Promise<unknown> => {
      const lines = jsonLines(await bkp(['create', '--dry-run', '--json'], { cwd: root }));
      return lines.filter(({ type }) => type === 'source');
    };
    const withFile = await planned();
    renameSync(join(root, '.backuprc'), join(root, 'away'));
    expect(withFile).toEqual(await planned());
  });

  it('tells what of the CMS is not there, and adds other databases', async () => {
    const root = site();
    rmSync(join(root, 'var/snapshots'), { recursive: true });
    makeDatabase(join(root, 'var/jobs.db'));
    const ran = await bkp(['init', '--yes', '--json'], { cwd: root });
    expect(lastLine(ran)).toMatchObject({ exitCode: 0, missing: ['snapshots'], written: true });
    const added = jsonLines(ran).filter(({ type }) => type === 'source');
    expect(added.map(({ name, path }) => [name, path])).toEqual([['jobs.db', 'var/jobs.db']]);
    expect((await bkp(['create', '--no-snapshots'], { cwd: root })).code).toBe(0);
  });

  it('takes a storage from its flag, and does not look into it', async () => {
    const { root, written } = application();
    const elsewhere = join(folder(), 'archives');
    makeDatabase(join(root, 'archives/x.db'));
    const ran = await bkp(['init', '-n', '--json', '--storage', 'archives'], { cwd: root });
    expect(String(lastLine(ran)['text'])).toMatch(/^storage: archives$/m);
    expect(ran.stdout).not.toContain('x.db');
    await bkp(['init', '--yes', '-C', root, '--storage', elsewhere]);
    expect(written()).toContain(`\nstorage: ${elsewhere}\n`);
    await bkp(['create', '-C', root]);
    expect(namesIn(elsewhere).filter((name) => name.endsWith('.zip'))).toHaveLength(1);
  });

  it('follows links so that nothing they lead to is lost, and none makes a backup incomplete', async () => {
    const root = folder();
    const elsewhere = folder();
    makeDatabase(join(root, 'data/app.db'));
    mkdirSync(join(root, 'code/theme'), { recursive: true });
    for (const file of [join(root, 'code/theme/style.css'), join(elsewhere, 'photo.png'), join(elsewhere, '.env')])
      writeFileSync(file, 'x');
    symlinkSync('../code/theme', join(root, 'data/theme'));
    symlinkSync('/etc/hostname', join(root, 'data/name'));
    for (const name of ['uploads', 'media', 'data/photos']) symlinkSync(elsewhere, join(root, name));
    symlinkSync(join(elsewhere, '.env'), join(root, '.env'));
    expect((await bkp(['init', '--yes'], { cwd: root })).code).toBe(0);
    const made = await bkp(['create', '--with-config'], { cwd: root });
    expect(made).toMatchObject({ code: 0 });
    const entries = jsonLines(await bkp(['show', 'latest', '--files', '--json'], { cwd: root }));
    const files = entries
      .filter(({ type, kind }) => type === 'entry' && kind === 'file')
      .map(({ path }) => String(path));
    expect(files.filter((path) => path.endsWith('/photo.png'))).toHaveLength(1);
    expect(files).toEqual(expect.arrayContaining(['app.db', 'theme/style.css', 'config/.backuprc']));
  });

  it('does not let default sources in where all names are theirs', async () => {
    const root = folder();
    mkdirSync(join(root, 'uploads'));
    writeFileSync(join(root, 'uploads/a'), '');
    expect((await bkp(['init', '--yes'], { cwd: root })).code).toBe(0);
    expect(await bkp(['create'], { cwd: root })).toMatchObject({ code: 0 });
  });

  it.each([
    { what: 'a folder without data', args: [], id: 'no-data-found', exitCode: 10 },
    { what: 'a folder that is not there', args: ['nowhere'], id: 'root-not-found', exitCode: 2 },
    { what: 'the whole system', args: ['/'], id: 'usage', exitCode: 2 },
    { what: 'two folders', args: ['a', '-C', 'b'], id: 'usage', exitCode: 2 },
    { what: 'another file', args: ['-c', 'site.yaml'], id: 'usage', exitCode: 2 },
  ])('refuses $what', async ({ args, id, exitCode }) => {
    const root = folder();
    mkdirSync(join(root, 'empty'));
    const ran = await bkp(['init', '--yes', '--json', ...args], { cwd: root });
    expect(lastLine(ran)).toMatchObject({ type: 'error', id, exitCode });
    expect(namesIn(root)).toEqual(['empty']);
  });

  it('writes no name into a terminal that would act on it, and no line into the file that is not its own', async () => {
    const root = folder();
    const evil = 'x\nhooks:\n  finally: touch owned\n#\u001b[2J\u202e.db';
    makeDatabase(join(root, 'data/ok.db'));
    renameSync(join(root, 'data/ok.db'), join(root, 'data', evil));
    makeDatabase(join(root, 'data/it\'s "odd": #1.db'));
    mkdirSync(join(root, `src${evil}`));
    writeFileSync(join(root, 'Makefile'), '');
    const ran = await bkp(['init', '--yes'], { cwd: root });
    expect(ran.code).toBe(0);
    expect(controlsIn(ran.stdout + ran.stderr)).toEqual([]);
    expect(ran.stdout).not.toContain('\u202e');
    expect(await bkp(['create'], { cwd: root })).toMatchObject({ code: 0 });
    expect((await bkp(['show', 'latest', '--json'], { cwd: root })).stdout).toContain('1.db');
  });

  it.skipIf(!hasTool('tmux'))('asks on a terminal, and writes after a yes alone', async () => {
    const { root } = application();
    const call = `${process.execPath} ${binary} -C '${root}' init`;
    const no = openTerminal(call);
    expect(await no.until(/\[y\/N\]/)).toContain('path: state/main.sqlite');
    no.press('Enter');
    expect(await no.until(/exit \d+/)).toMatch(/it was not confirmed; nothing was written[^]*exit 15/);
    expect(existsSync(join(root, '.backuprc'))).toBe(false);
    const yes = openTerminal(`${call} | cat`);
    await yes.until(/\[y\/N\]/);
    yes.press('y', 'Enter');
    expect(await yes.until(/exit \d+/)).toMatch(/Wrote .*\.backuprc/);
    expect(existsSync(join(root, '.backuprc'))).toBe(true);
  });
});
