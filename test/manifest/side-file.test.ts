import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseSideFile, sideFileText } from '../../src/manifest/side-file.js';
import { sha256 } from '../archive/tar/archives.js';

const sum = sha256(Buffer.from('archive'));

describe('the side file', () => {
  it('is what sha256sum writes and checks, whatever the archive is called', () => {
    const dir = mkdtempSync(join(tmpdir(), 'bkp-side-'));
    try {
      for (const name of [
        '20251030T120000Z-daily.zip',
        'with space.tar.gz',
        'back\\slash.zip',
        'new\nline.zip',
        '*.zip',
      ]) {
        writeFileSync(join(dir, name), 'archive');
        const text = sideFileText(sum, name);
        expect(execFileSync('sha256sum', ['--', name], { cwd: dir }).toString()).toBe(text);
        expect(spawnSync('sha256sum', ['--strict', '--status', '-c'], { cwd: dir, input: text }).status).toBe(0);
        expect(parseSideFile(text)).toBe(sum);
      }
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('is read with any name, with none, in binary mode, in upper case and without its last newline', () => {
    for (const text of [
      sum,
      `${sum}\n`,
      `${sum}  x`,
      `${sum} *x\n`,
      `${sum.toUpperCase()}  x\n`,
      `\\${sum}  a\\\\b\n`,
    ]) {
      expect(parseSideFile(text)).toBe(sum);
    }
  });

  it('is none with anything else', () => {
    const wrong = [
      '',
      '\n',
      sum.slice(1),
      `0${sum}`,
      `${sum}x`,
      ` ${sum}  x\n`,
      `${sum}  x\n${sum}  y\n`,
      `${sum}  x\n\n`,
    ];
    for (const text of [...wrong, `g${sum.slice(1)}  x\n`, `SHA256 (x) = ${sum}\n`, `${sum}  \n`.repeat(2)]) {
      expect([text, parseSideFile(text)]).toEqual([text, undefined]);
    }
  });
});
