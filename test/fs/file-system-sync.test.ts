import { chmodSync, existsSync, mkdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bkp, hasTool, jsonLines, siteCopy } from '../helpers/cli.js';
import { temporaryFolder } from '../helpers/surroundings.js';

/** Where `syncfs` tells what failed: see src/fs/file-system-sync.ts. Elsewhere each file is synced by itself. */
const tells = [0xef53, 0x58465342, 0x9123683e, 0xf2f52010].includes(statfsSync(temporaryFolderType()).type);

function temporaryFolderType(): string {
  return process.env['TMPDIR'] ?? '/tmp';
}

const files = 600;

/** A backup of many small files, and a file larger than what is written at once. */
async function archive(): Promise<string> {
  const site = siteCopy();
  mkdirSync(join(site, 'var/uploads/many'));
  for (let n = 0; n < files; n++) writeFileSync(join(site, 'var/uploads/many', `f${n}`), `${n}`);
  writeFileSync(join(site, 'var/uploads/large'), Buffer.alloc(3_000_000, 1));
  return String(jsonLines(await bkp(['create', '-C', site, '--json'])).at(-1)?.['file']);
}

describe.skipIf(!hasTool('strace'))('a restore of many files', () => {
  it('brings the small ones to the disk together, the large ones each by itself, and only then names the target', async () => {
    const file = await archive();
    const target = join(temporaryFolder(), 'target');
    const log = join(temporaryFolder(), 'trace');
    const under = ['strace', '-f', '-y', '-o', log, '-e', 'trace=fsync,fdatasync,?syncfs,?rename,renameat,renameat2'];
    expect(await bkp(['restore', file, '--target', target, '-q'], { under })).toMatchObject({ code: 0 });
    const calls = readFileSync(log, 'utf8').split('\n');
    const synced = calls.filter((call) => /\bf(?:data)?sync\(/.test(call));
    const together = calls.findLastIndex((call) => /\bsyncfs\(.*= 0$/.test(call));
    const named = calls.findIndex((call) => /\brename\w*\(.*target"/.test(call));
    expect(synced.filter((call) => call.includes('/large'))).not.toEqual([]);
    const single = synced.filter((call) => call.includes('/many/')).length;
    expect(named).toBeGreaterThan(0);
    if (tells) {
      expect(single).toBeLessThan(files / 2);
      expect([together > 0, together < named]).toEqual([true, true]);
    } else expect(single).toBe(files);
  });

  it('fails where the disk does, and leaves nothing', async () => {
    const file = await archive();
    const [tools, target] = [temporaryFolder(), join(temporaryFolder(), 'target')];
    // The real program, but its last call fails: the one before showed that it can be used.
    const failing = 'exec strace -qq -o /dev/null -e inject=syncfs:error=EIO /bin/sync "$@"';
    const script = `#!/bin/sh
[ "$1" = -f ] || exec /bin/sync "$@"
if [ -e ${tools}/once ]; then ${failing}; fi
: > ${tools}/once
exec /bin/sync "$@"
`;
    writeFileSync(join(tools, 'sync'), script);
    chmodSync(join(tools, 'sync'), 0o755);
    const env = { ...process.env, PATH: `${tools}:${process.env['PATH']}` };
    const ran = await bkp(['restore', file, '--target', target, '--json'], { env });
    if (!tells) return expect(ran.code).toBe(0);
    expect(ran.code).toBe(1);
    expect(jsonLines(ran).at(-1)).toMatchObject({ type: 'error', id: 'target-unwritable' });
    expect(jsonLines(ran).at(-1)?.['message']).toMatch(/syncing the file system of .*Input\/output error/);
    expect(existsSync(target)).toBe(false);
  });
});
