import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bkp, bkpFile, copySite, ended, hasTool, jsonLines, siteCopy, tool, type Ran } from '../helpers/cli.js';
import { writeShellCommand } from '../helpers/shell-command.js';
import { temporaryFolder } from '../helpers/surroundings.js';
import { copyTemplate } from '../helpers/template.js';
import { openTerminal } from '../helpers/terminal.js';

const secret = 'correct horse bättery';

function passphraseFile(content = `${secret}\n`): string {
  const path = join(temporaryFolder(), 'passphrase');
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

const summaryOf = (ran: Ran): Record<string, unknown> => jsonLines(ran).at(-1) ?? {};

/** A site and an encrypted backup of it with a hint, made once. */
async function encryptedBackup() {
  const folder = join(temporaryFolder(), 'made');
  const made = await copyTemplate('an encrypted backup', folder, async (content) => {
    const site = join(content, 'site');
    copySite(site);
    const flags = ['--encrypt', '--passphrase-file', passphraseFile(), '--hint', 'in the safe'];
    const ran = await bkp(['create', '-C', site, ...flags, '--json']);
    expect(ran.code).toBe(0);
    const { file, id } = summaryOf(ran);
    return { file: relative(content, String(file)), id: String(id) };
  });
  const [site, archive] = [join(folder, 'site'), join(folder, made.file)];
  return { site, passphrase: passphraseFile(), archive, id: made.id };
}

describe('an encrypted backup', () => {
  it('is made with the passphrase of each source', async () => {
    const site = siteCopy();
    const out = temporaryFolder();
    const file = passphraseFile();
    const print = JSON.stringify(['printf', '%s\n', secret]);
    writeFileSync(join(out, 'bkp.yaml'), `root: ${site}\nencryption: { enabled: true, passphraseFile: ${file} }\n`, {
      mode: 0o600,
    });
    const ways: Readonly<Record<string, string>> = {
      file: `BKP create -C ${site} --encrypt --passphrase-file ${file}`,
      command: `BKP create -C ${site} --encrypt --passphrase-command '${print}'`,
      'variable-file': `BKP_PASSPHRASE_FILE=${file} BKP create -C ${site} --encrypt`,
      'variable-command': `BKP_PASSPHRASE_COMMAND='${print}' BKP create -C ${site} --encrypt`,
      descriptor: `BKP_PASSPHRASE_FD=3 BKP create -C ${site} --encrypt 3< ${file}`,
      variable: `BKP_PASSPHRASE='${secret}' BKP create -C ${site} --encrypt`,
      configuration: `BKP create -c ${out}/bkp.yaml`,
    };
    await writeShellCommand(join(out, 'bkp'));
    for (const [name, line] of Object.entries(ways)) {
      const archive = join(out, `${name}.zip`);
      const command = `${line} --only snapshots -q -o ${archive}`.replace('BKP ', `${join(out, 'bkp')} `);
      const made = await ended(spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] }));
      expect([name, made.code, made.stderr]).toEqual([name, 0, '']);
    }
    const archives = Object.keys(ways).map((name) => join(out, `${name}.zip`));
    const verified = await bkp(['verify', ...archives, '--passphrase-file', file, '--json']);
    expect(verified.code).toBe(0);
    expect(summaryOf(verified)).toMatchObject({
      counts: { intact: archives.length, incomplete: 0, damaged: 0, failed: 0 },
    });
    const wrong = ['--passphrase-file', passphraseFile('another one'), '--json'];
    const refused = await bkp(['verify', join(out, 'file.zip'), join(out, 'variable.zip'), ...wrong]);
    expect(refused.code).toBe(12);
    expect(refused.stdout.match(/"id":"passphrase-wrong"/g)).toHaveLength(2);
  });

  it.skipIf(!hasTool('7z'))('is opened by 7-Zip with the same text', async () => {
    const { archive } = await encryptedBackup();
    expect(tool('7z', ['t', `-p${secret}`, archive])).toContain('Everything is Ok');
    expect(spawnSync('7z', ['t', '-pwrong', archive]).status).not.toBe(0);
  });

  it('says so, with its hint, and opens for nobody without the passphrase: 12', async () => {
    const { site, archive, passphrase } = await encryptedBackup();
    const shown = await bkp(['show', archive, '--passphrase-file', passphrase]);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain('in the safe');
    for (const args of [
      ['verify', archive],
      ['show', archive],
      ['restore', archive, '--target', join(temporaryFolder(), 'target')],
      ['restore', archive, '-C', site, '--dry-run'],
    ]) {
      const ran = await bkp([...args, '--json']);
      expect(summaryOf(ran)).toMatchObject({ type: 'error', id: 'passphrase-missing', exitCode: 12 });
    }
  });

  it('restores into a folder, and several are verified with one passphrase', async () => {
    const { site, archive, passphrase } = await encryptedBackup();
    const second = await bkp([
      'create',
      '-C',
      site,
      '--encrypt',
      '--passphrase-file',
      passphrase,
      '--only',
      'user.brain',
    ]);
    expect(second.stdout).toContain(`--dry-run --passphrase-file ${passphrase}\n`);
    const none = await bkp(['verify', '-C', site, '--all']);
    expect([none.code, none.stdout.match(/Pass --passphrase-file <file>/g)?.length]).toEqual([12, 1]);
    expect(none.stdout).toMatch(
      /The hint of the archive says: in the safe\n[^]*^2 backups: 2 failed \(not verified\)$/m,
    );
    const target = join(temporaryFolder(), 'target');
    const restored = await bkp(['restore', archive, '--target', target, '--passphrase-file', passphrase]);
    expect([restored.stderr, restored.code]).toEqual(['', 0]);
    expect(readdirSync(join(target, 'var'))).toContain('uploads');
    const all = await bkp(['verify', '-C', site, '--all', '--passphrase-file', passphrase]);
    expect(all.stdout).toContain('2 backups: 2 intact');
  });

  it('is streamed as well', async () => {
    const site = siteCopy();
    const out = temporaryFolder();
    const passphrase = passphraseFile();
    const line = `${process.execPath} ${bkpFile} create -C ${site} -o - --encrypt --passphrase-file ${passphrase} --json`;
    const made = spawnSync('bash', ['-c', `${line} | cat > ${out}/a.zip; exit \${PIPESTATUS[0]}`], {
      encoding: 'utf8',
    });
    expect(made.status).toBe(0);
    const summary = JSON.parse(made.stderr.trimEnd().split('\n').at(-1) ?? '{}') as object;
    expect(summary).toMatchObject({ encrypted: true, verified: false, complete: true });
    const verified = await bkp(['verify', join(out, 'a.zip'), '--passphrase-file', passphrase]);
    expect([verified.stderr, verified.code]).toEqual(['', 0]);
  });
});

describe('the safety backup of a restore in place', () => {
  it('is encrypted where the configuration turns encryption on, and can be put back', async () => {
    const { site, id, passphrase } = await encryptedBackup();
    const config = `encryption: { enabled: true, passphraseFile: ${passphrase}, hint: in the safe }\n`;
    writeFileSync(join(site, '.backuprc'), config, { mode: 0o600 });
    writeFileSync(join(site, 'var/uploads/later.txt'), 'later');
    const restored = await bkp(['restore', id, '-C', site, '--confirm', id, '--json']);
    expect(restored.code).toBe(0);
    const { safety } = summaryOf(restored) as { readonly safety: { readonly id: string; readonly file: string } };
    expect(existsSync(join(site, 'var/uploads/later.txt'))).toBe(false);
    expect((await bkp(['verify', safety.file])).code).toBe(12);
    expect((await bkp(['verify', safety.file, '--passphrase-file', passphrase])).code).toBe(0);
    const undone = await bkp([
      'restore',
      '--undo',
      '-C',
      site,
      '--confirm',
      safety.id,
      '--passphrase-file',
      passphrase,
    ]);
    expect(undone.code).toBe(0);
    expect(undone.stdout).toContain(`restore --undo --passphrase-file ${passphrase}\n`);
    expect(existsSync(join(site, 'var/uploads/later.txt'))).toBe(true);
  });

  it('ends the restore before anything is touched where its passphrase is missing', async () => {
    const site = siteCopy();
    const made = await bkp(['create', '-C', site, '--json']);
    const id = String(summaryOf(made)['id']);
    writeFileSync(join(site, '.backuprc'), 'encryption: { enabled: true }\nhooks: { beforeRestore: touch stopped }\n', {
      mode: 0o600,
    });
    const ran = await bkp(['restore', id, '-C', site, '--confirm', id, '--json']);
    expect(summaryOf(ran)).toMatchObject({ id: 'passphrase-missing', exitCode: 12 });
    expect(existsSync(join(site, 'stopped'))).toBe(false);
    rmSync(join(site, '.backuprc'));
    expect((await bkp(['restore', id, '-C', site, '--confirm', id, '-q'])).code).toBe(0);
  });
});

describe.skipIf(!hasTool('tmux'))('an encrypted backup on a terminal', () => {
  it('is opened with what is typed, once, and tells its hint', async () => {
    const { archive } = await encryptedBackup();
    const { until, press } = openTerminal(`${process.execPath} ${bkpFile} verify ${archive}`);
    await until(/Passphrase of .*\.zip \(its hint: in the safe\):/);
    press('-l', secret);
    press('Enter');
    const seen = await until(/exit \d+/);
    expect(seen).toMatch(/intact[^]*exit 0/);
    expect(seen).not.toContain('correct');
  });

  it('is not opened with another passphrase, typed three times: 12', async () => {
    const { archive } = await encryptedBackup();
    const { until, press } = openTerminal(`${process.execPath} ${bkpFile} verify ${archive}`);
    await until(/Passphrase of /);
    for (const times of [1, 2]) {
      press('-l', 'wrong');
      press('Enter');
      await until(new RegExp(`(?:It does not open with that\\.\\s+Passphrase of[^]*){${times}}`));
    }
    press('-l', 'wrong');
    press('Enter');
    expect(await until(/exit \d+/)).toContain('exit 12');
  });
});
