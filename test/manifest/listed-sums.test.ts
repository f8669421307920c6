import { describe, expect, it } from 'vitest';
import { ArchiveDamage } from '../../src/base/damage.js';
import { SumsFault, type SumLine } from '../../src/manifest/checksums.js';
import { ListedSums, scanSums, type SumsSource } from '../../src/manifest/listed-sums.js';
import { sha256 } from '../archive/tar/archives.js';
import { listed, sourceOf } from './listed.js';

const sum = 'a'.repeat(64);
const good = `${sum}  good\n`;
const opened = async (text: string): Promise<ListedSums> => ListedSums.of(await scanSums(sourceOf(text)));

async function linesOf(sums: ListedSums): Promise<SumLine[]> {
  const all: SumLine[] = [];
  for await (const lines of sums.lines()) all.push(...lines);
  return all;
}

describe('scanSums', () => {
  it('gives the SHA-256 of all bytes, also behind a line that is none', async () => {
    for (const text of ['', good, `nothing\n${good.repeat(10)}`]) {
      expect((await scanSums(sourceOf(text))).sha256).toBe(sha256(Buffer.from(text)));
    }
  });

  it('tells whether the lines come in the order of an archive', async () => {
    const inOrder = async (...paths: string[]): Promise<boolean> =>
      (await scanSums(sourceOf(paths.map((path) => `${sum}  ${path}\n`).join('')))).inOrder;
    expect(await inOrder('b', 'a/1', 'a/1.x', 'a/2')).toBe(true);
    expect(await inOrder('a/2', 'a/1')).toBe(false);
    expect(await inOrder('a/1', 'b', 'a/2')).toBe(false);
  });
});

describe('ListedSums', () => {
  const twice: Readonly<Record<string, readonly [string, RegExp]>> = {
    'the same name': [`${good}${good}`, /line 2 names good again/],
    'the same name with another sum': [`${good}${'0'.repeat(64)} *good\n`, /line 2 names good again/],
    'the same name escaped and not': [`${sum}  a\rb\n\\${sum}  a\\rb\n`, /line 2 names/],
    'the same name far from there': [`${good}${sum}  x\n${sum}  y\n${good}`, /line 4 names good again/],
    'the same name out of order': [`${sum}  d/b\n${sum}  d/a\n${sum}  d/b\n`, /line 3 names d\/b again/],
  };
  for (const [what, [text, message]] of Object.entries(twice)) {
    it(`refuses ${what} twice`, async () => {
      await expect(opened(text)).rejects.toThrow(message);
      await expect(opened(text)).rejects.toBeInstanceOf(SumsFault);
    });
  }

  it('refuses a line that is none', async () => {
    await expect(opened(`${good}nothing\n`)).rejects.toThrow(/line 2 is not a checksum/);
  });

  it('gives its lines as often as they are wanted, and each sum by its name', async () => {
    const lines = [
      ['d/b', sum],
      ['d/a', 'b'.repeat(64)],
      ['__proto__', '0'.repeat(64)],
    ] as const;
    const sums = await listed(lines);
    for (let pass = 0; pass < 2; pass++) {
      expect((await linesOf(sums)).map(({ path, sha256: found }) => [path, found])).toEqual(lines);
    }
    const table = await sums.table();
    for (const [path, expected] of lines) expect(table.of(path)).toBe(expected);
    expect(table.of('d')).toBeUndefined();
    expect(table.of('')).toBeUndefined();
  });

  it('finds that it was changed meanwhile', async () => {
    const texts = [good, good.replace('good', 'evil'), `${good}${sum}  more\n`, 'nothing\n'];
    for (const later of texts.slice(1)) {
      const given = [good, later];
      const source: SumsSource = () => sourceOf(given.shift() ?? '')();
      const sums = await ListedSums.of(await scanSums(source));
      await expect(linesOf(sums)).rejects.toBeInstanceOf(ArchiveDamage);
    }
  });
});
