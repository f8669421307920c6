import { createWriteStream, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import { bkp, folder, lastLine, site, siteWithBackup, storageOf } from './cli.js';

function flipByte(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at]! ^= 0xff;
  writeFileSync(file, bytes);
}

/** An archive of a format that is not known yet. */
async function writeNewerArchive(file: string): Promise<void> {
  const zip = new ZipFile();
  const manifest = { version: '2.0.0', generatedAt: '2031-01-01T00:00:00Z', includes: [], hash: '', encryption: {} };
  zip.addBuffer(Buffer.from(JSON.stringify(manifest)), 'manifest.json');
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(file));
}

describe('bkp verify', () => {
  it('proves the latest backup where none is named', async () => {
    const { root, file } = await siteWithBackup();
    const { code, stdout, stderr } = await bkp(['verify'], { cwd: root });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(`intact  ${file}: 50 files (807 KiB) and 2 databases proven\n`);
  });

  it('looks at all of them, and the worst decides: 14 over 3 over 0', async () => {
    const { root, file } = await siteWithBackup();
    symlinkSync('/etc/passwd', join(root, 'var', 'uploads', 'out'));
    await bkp(['create'], { cwd: root });
    const incomplete = await bkp(['verify', '--all'], { cwd: root });
    expect(incomplete.code).toBe(3);
    expect(incomplete.stderr).toContain('warning: uploads/out');
    expect(incomplete.stdout).toMatch(/^INCOMPLETE \(1 loss\) .*\nintact .*\n2 backups: 1 intact, 1 incomplete\n$/);
    flipByte(file, 5000);
    const damaged = await bkp(['verify', '--all'], { cwd: root });
    expect(damaged.code).toBe(14);
    expect(damaged.stdout).toMatch(/^INCOMPLETE .*\nDAMAGED .*\n2 backups: 1 incomplete, 1 damaged\n$/);
    expect(damaged.stderr).toContain('(archive-checksum-mismatch)');
    expect(lastLine(await bkp(['verify', '--all', '--json'], { cwd: root }))).toMatchObject({
      type: 'summary',
      id: null,
      complete: false,
      verified: false,
      exitCode: 14,
      counts: { intact: 0, incomplete: 1, damaged: 1, failed: 0 },
    });
  });

  it('goes on where one cannot be looked at', async () => {
    const { root, file } = await siteWithBackup();
    const newer = join(root, 'newer.zip');
    await writeNewerArchive(newer);
    const ran = await bkp(['verify', newer, file, '--json'], { cwd: root });
    expect(ran.code).toBe(15);
    expect(lastLine(ran)).toMatchObject({
      counts: { intact: 1, failed: 1 },
      backups: [
        { id: 'newer', verdict: 'failed', exitCode: 15, error: { id: 'format-newer' } },
        { verdict: 'intact', exitCode: 0 },
      ],
    });
    expect((await bkp(['verify', newer, file], { cwd: root })).stdout).toMatch(
      /^FAILED \(not verified\) .*\n[^]*intact /,
    );
    expect(await bkp(['verify', newer], { cwd: root })).toMatchObject({ code: 15, stdout: '' });
  });

  it('tells with -q nothing but what is wrong', async () => {
    const { root, file } = await siteWithBackup();
    expect(await bkp(['verify', '-q'], { cwd: root })).toMatchObject({ code: 0, stdout: '', stderr: '' });
    flipByte(file, 5000);
    const { code, stdout, stderr } = await bkp(['verify', '-q', file], { cwd: root });
    expect({ code, stdout }).toEqual({ code: 14, stdout: '' });
    expect(stderr).toMatch(/^damage: /);
  });

  it('says what --quick did not look at', async () => {
    const { root } = await siteWithBackup();
    const { code, stdout } = await bkp(['verify', '--quick'], { cwd: root });
    expect(code).toBe(0);
    expect(stdout).toContain('its files were not looked at (--quick)');
  });

  it('leaves out backups of other instances with --all, and says so', async () => {
    const { root } = await siteWithBackup();
    await bkp(['create'], { cwd: site('other'), env: { BKP_STORAGE: storageOf(root) } });
    const { code, stdout } = await bkp(['verify', '--all'], { cwd: root });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^intact .*\n1 backup of other instances left out/);
  });

  it.each([
    { args: ['--all', 'latest'], code: 2 },
    { args: ['latest', 'no-such'], code: 10 },
    { args: ['no/such.zip'], code: 10 },
  ])('is refused before anything is verified: $args', async ({ args, code }) => {
    const { root } = await siteWithBackup();
    expect(await bkp(['verify', ...args], { cwd: root })).toMatchObject({ code, stdout: '' });
  });

  it('ends with 10 where there is nothing to verify', async () => {
    expect(await bkp(['verify'], { cwd: site() })).toMatchObject({ code: 10 });
    expect(await bkp(['verify', '--all', '--storage', folder()], { cwd: site() })).toMatchObject({ code: 10 });
    expect(await bkp(['verify', 'x.zip'], { cwd: folder() })).toMatchObject({ code: 10 });
  });
});
