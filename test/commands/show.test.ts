import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bkp, folder, jsonLines, lastLine, siteWithBackup } from './cli.js';

describe('bkp show', () => {
  it('tells what a backup says of itself, by any name of it', async () => {
    const { root, id, file } = await siteWithBackup('--comment', 'before the update');
    for (const name of [id, id.slice(0, 13), 'latest', 'latest:manual', file]) {
      const { code, stdout, stderr } = await bkp(['show', name], { cwd: root });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain(`${id}  complete`);
      expect(stdout).toContain('before the update');
      expect(stdout).toContain(file);
      expect(stdout).toMatch(/user.brain +1 +312 KiB +databases +var\/user.brain +integrity ok/);
    }
  });

  it('prints the checksum alone, and computes it where no .sha256 lies beside the archive', async () => {
    const { root, file } = await siteWithBackup();
    const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
    const recorded = await bkp(['show', 'latest', '--checksum'], { cwd: root });
    expect(recorded).toMatchObject({ code: 0, stdout: `${sha256}\n`, stderr: '' });
    rmSync(`${file}.sha256`);
    const computed = await bkp(['show', 'latest', '--checksum'], { cwd: root });
    expect(computed).toMatchObject({ code: 0, stdout: `${sha256}\n` });
    expect(computed.stderr).toMatch(/^note: no readable \.sha256 .*: computed from its bytes\n$/);
  });

  it('prints the path alone, with -q as well', async () => {
    const { root, file } = await siteWithBackup();
    expect(await bkp(['show', 'latest', '--file', '-q'], { cwd: root })).toMatchObject({
      code: 0,
      stdout: `${file}\n`,
    });
  });

  it('lists the content as ls -l does', async () => {
    const { root, file } = await siteWithBackup();
    const elsewhere = join(folder(), 'copy.zip');
    copyFileSync(file, elsewhere);
    const { code, stdout } = await bkp(['show', elsewhere, '--files'], { cwd: folder() });
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toContainEqual(
      expect.stringMatching(/^-rw-r--r-- \d+ \d+ +319488 \d{4}-\d\d-\d\d \d\d:\d\d UTC\S* +user\.brain$/),
    );
    expect(lines).toContainEqual(expect.stringMatching(/^drwx.* uploads$/));
    expect(lines).toContainEqual(expect.stringMatching(/^l.* -> /));
    const entries = jsonLines(await bkp(['show', elsewhere, '--files', '--json'], { cwd: root }));
    expect(entries.filter(({ type }) => type === 'entry')).toHaveLength(lines.length);
  });

  it.each([
    { args: ['show', '20200101T000000Z-manual'], code: 10 },
    { args: ['show', 'no-such'], code: 10 },
    { args: ['show', 'latest:daily'], code: 10 },
    { args: ['show', 'latest', '--file', '--files'], code: 2 },
  ])('fails with its reason: $args', async ({ args, code }) => {
    const { root } = await siteWithBackup();
    const ran = await bkp(args, { cwd: root });
    expect(ran).toMatchObject({ code, stdout: '' });
    expect(ran.stderr).toMatch(/^error: .+\nhint: .+\n$/s);
  });

  it('asks for more of an ambiguous beginning', async () => {
    const { root } = await siteWithBackup();
    await bkp(['create'], { cwd: root });
    const ran = await bkp(['show', '2', '--json'], { cwd: root });
    expect(ran.code).toBe(2);
    expect(lastLine(ran)).toMatchObject({ type: 'error', id: 'backup-ambiguous' });
    expect(lastLine(ran)['message']).toMatch(/^2 may be any of: [^., ]+-manual, [^., ]+-manual$/);
  });

  it('ends with 14 where the archive cannot be read', async () => {
    const { root, file } = await siteWithBackup();
    writeFileSync(file, readFileSync(file).subarray(0, 1000));
    expect(await bkp(['show', file], { cwd: root })).toMatchObject({ code: 14, stdout: '' });
    expect(await bkp(['show', file, '--checksum'], { cwd: root })).toMatchObject({ code: 0 });
  });
});
