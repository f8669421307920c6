import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sumLine, sumLines, SumsFault, type SumLine } from '../../src/manifest/checksums.js';
import { sha256 } from '../archive/tar/archives.js';

let dir = '';
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'bkp-sums-'))));
afterAll(() => rmSync(dir, { recursive: true }));

const names = [
  'plain',
  'with space',
  ' leading space',
  '  two leading spaces',
  'trailing space ',
  '*star',
  ' *star',
  'back\\slash',
  'back\\nslash',
  '\\',
  '\\\\',
  '\\n',
  'new\nline',
  '\n',
  'carriage\rreturn',
  'both\r\n',
  'mixed\\\n\\r\r',
  'tab\t',
  'émoji 💾',
  'e\u0301',
  '\ufeffmark',
  '-rf',
  '#hash',
  'quote\'"',
  'a'.repeat(64),
  `${'a'.repeat(64)}  name`,
  'A',
  'a',
  '__proto__',
  '\u0001\u007f',
];
const sum = sha256(Buffer.from(''));
type Entry = readonly [path: string, sha256: string];

/** What is read of a text that comes in chunks of any size, or why it cannot be. */
async function entries(text: string | Buffer, chunkBytes = 1024 * 1024): Promise<readonly Entry[] | string> {
  const bytes = Buffer.from(text);
  const lines: SumLine[] = [];
  try {
    for await (const more of sumLines(chunksOf(bytes, chunkBytes))) lines.push(...more);
  } catch (error) {
    if (error instanceof SumsFault) return error.message;
    throw error;
  }
  return lines.map(({ path, sha256: found }) => [path, found] as const);
}

/** Each in memory that the next one is written over. */
async function* chunksOf(bytes: Buffer, chunkBytes: number): AsyncGenerator<Buffer> {
  const memory = Buffer.alloc(chunkBytes);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    yield await Promise.resolve(memory.subarray(0, bytes.copy(memory, 0, at, at + chunkBytes)));
  }
}

describe('sumLine', () => {
  it('is what sha256sum writes, for every odd name, and what it checks', async () => {
    const tree = join(dir, 'tree');
    mkdirSync(tree);
    const lines = names.map((name, index) => {
      writeFileSync(join(tree, name), `content ${index}`);
      return sumLine({ path: name, sha256: sha256(Buffer.from(`content ${index}`)) });
    });
    const written = execFileSync('sha256sum', ['--', ...names], { cwd: tree }).toString();
    // Before coreutils 9.0 a carriage return was written as it is; both are read.
    const bare = (line: string): boolean => /\r/.test(line);
    const expected = lines.join('');
    if (!bare(written)) expect(written).toBe(expected);
    expect(await entries(written)).toEqual(await entries(expected));
    const check = spawnSync('sha256sum', ['--strict', '-c', '-'], { cwd: tree, input: expected });
    expect(check.stderr.toString()).toBe('');
    expect(check.status).toBe(0);
  });

  it('is checked by sha256sum for any path, and read back', async () => {
    const segment = fc
      .oneof(
        fc.constantFrom(...names),
        fc
          .array(fc.constantFrom('\\', '\n', '\r', 'n', 'r', ' ', '*', 'é'), { minLength: 1, maxLength: 8 })
          .map((parts) => parts.join('')),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
      )
      .filter((name) => !/[/\0]/.test(name) && name !== '.' && name !== '..' && Buffer.byteLength(name) <= 200);
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(segment, { minLength: 1, maxLength: 15 }), async (found) => {
        const tree = join(dir, `any-${(round += 1)}`);
        const text = found
          .map((name, index) => {
            const path = `d/${name}`;
            mkdirSync(dirname(join(tree, path)), { recursive: true });
            writeFileSync(join(tree, path), String(index));
            return sumLine({ path, sha256: sha256(Buffer.from(String(index))) });
          })
          .join('');
        const check = spawnSync('sha256sum', ['--strict', '--status', '-c', '-'], { cwd: tree, input: text });
        expect([check.status, check.stderr.toString()]).toEqual([0, '']);
        expect(await entries(text)).toEqual(
          found.map((name, index) => [`d/${name}`, sha256(Buffer.from(String(index)))]),
        );
      }),
      { numRuns: 40 },
    );
  });
});

describe('sumLines', () => {
  it('gives back any paths that sumLine was given, in their order, however the text is cut', async () => {
    const path = fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }).filter((text) => !text.includes('\0'));
    await fc.assert(
      fc.asyncProperty(fc.array(path, { maxLength: 30 }), fc.integer({ min: 1, max: 500 }), async (paths, bytes) => {
        const text = paths.map((name) => sumLine({ path: name, sha256: sum })).join('');
        expect(await entries(text, bytes)).toEqual(paths.map((name) => [name, sum]));
      }),
      { numRuns: 500 },
    );
  });

  it('takes both modes and upper-case digits, as sha256sum does', async () => {
    expect(await entries(`${sum}  a\n${sum} *b\n${sum.toUpperCase()}  c\n`)).toEqual([
      ['a', sum],
      ['b', sum],
      ['c', sum],
    ]);
  });

  it('takes nothing for no lines', async () => {
    expect(await entries('')).toEqual([]);
  });

  it('takes names for what they are: prototypes are names too', async () => {
    expect(await entries(`${sum}  __proto__\n${sum}  constructor\n`)).toEqual([
      ['__proto__', sum],
      ['constructor', sum],
    ]);
  });

  const good = `${sum}  good\n`;
  const invalid: Readonly<Record<string, readonly [string | Buffer, RegExp]>> = {
    'a last line without its end': [`${good}${sum}  a`, /line 2 is cut short/],
    'an empty line': [`${good}\n`, /line 2/],
    'one digit too few': [`${sum.slice(1)}  a\n`, /line 1/],
    'one digit too many': [`0${sum}  a\n`, /line 1/],
    'a digit that is none': [`g${sum.slice(1)}  a\n`, /line 1/],
    'one space': [`${sum} a\n`, /line 1/],
    'a tab': [`${sum}\ta\n`, /line 1/],
    'no name': [`${sum}  \n`, /line 1/],
    'no name and no mode': [`${sum}\n`, /line 1/],
    'a space first': [` ${sum}  a\n`, /line 1/],
    'two backslashes first': [`\\\\${sum}  a\n`, /line 1/],
    'an escape that nobody knows': [`\\${sum}  a\\tb\n`, /line 1/],
    'a backslash at the end of an escaped name': [`\\${sum}  a\\\n`, /line 1/],
    'an odd number of backslashes': [`\\${sum}  \\\\\\x\n`, /line 1/],
    'a name that is no text': [Buffer.concat([Buffer.from(`${sum}  a`), Buffer.from([0xff, 0x0a])]), /line 1/],
    'a mark before the first line': [`\ufeff${good}`, /line 1/],
    'the BSD format': [`SHA256 (a) = ${sum}\n`, /line 1/],
    'a comment': [`# sums\n${good}`, /line 1/],
    zeros: [Buffer.alloc(1000), /line 1 is cut short/],
  };
  for (const [what, [text, message]] of Object.entries(invalid)) {
    it(`refuses ${what}, and says where`, async () => {
      expect(await entries(text)).toMatch(message);
      expect(await entries(text, 1)).toMatch(message);
    });
  }

  it('reads a long list in time that grows with its length alone', async () => {
    const lines = Array.from({ length: 200_000 }, (_, index) => sumLine({ path: `uploads/${index}`, sha256: sum }));
    const started = performance.now();
    expect(await entries(lines.join(''))).toHaveLength(200_000);
    const backslashes = `\\${sum}  ${'\\\\'.repeat(1_000_000)}\n`;
    expect(await entries(backslashes, 1000)).toEqual([['\\'.repeat(1_000_000), sum]]);
    expect(performance.now() - started).toBeLessThan(15_000);
  });
});
