import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockLines, withBlock, withoutBlock } from '../../src/system/crontab-block.js';

const others = Buffer.concat([
  Buffer.from('# mine\r\nMAILTO=me@example.org\n\n  17 3 * * *  old  \t\n'),
  Buffer.from([0xff, 0xfe, 0x00, 0x0a]),
  Buffer.from('# bkp is great\n#bkp x begin\n# bkp x beginning\n@daily last\n'),
]);

const line = (n: number): string => `*/10 * * * * bkp ${n} ä`;

describe('a block in a crontab', () => {
  it('is put at the end, replaced in its place, and taken out again', () => {
    const one = withBlock(others, 'a', [line(1)]);
    expect(one.subarray(0, others.length).equals(others)).toBe(true);
    expect(one.subarray(others.length).toString()).toBe(
      '# bkp a begin\n# Written by `bkp schedule install`, removed by `bkp schedule uninstall`.\n' +
        '*/10 * * * * bkp 1 ä\n# bkp a end\n',
    );
    const two = Buffer.concat([withBlock(one, 'b', [line(2), line(3)]), Buffer.from('# after\n')]);
    expect(blockLines(two, 'a')).toEqual([line(1)]);
    expect(blockLines(two, 'b')).toEqual([line(2), line(3)]);
    const replaced = withBlock(two, 'a', [line(4)]);
    expect(replaced.toString('latin1')).toBe(two.toString('latin1').replace('bkp 1', 'bkp 4'));
    expect(withBlock(replaced, 'a', [line(4)]).equals(replaced)).toBe(true);
    const left = withoutBlock(withoutBlock(replaced, 'a'), 'b');
    expect(left.equals(Buffer.concat([others, Buffer.from('# after\n')]))).toBe(true);
    expect(withoutBlock(left, 'a').equals(left)).toBe(true);
    expect(blockLines(left, 'a')).toBeUndefined();
  });

  it('ends a last line that has no end, which cron would pass over', () => {
    expect(withBlock(Buffer.from('@daily x'), 'a', ['@daily y']).toString()).toMatch(/^@daily x\n# bkp a begin\n/);
    expect(withBlock(Buffer.alloc(0), 'a', ['@daily y']).toString()).toMatch(/^# bkp a begin\n/);
    const unended = Buffer.from('# bkp a begin\nx\n# bkp a end');
    expect(blockLines(unended, 'a')).toEqual(['x']);
    expect(withoutBlock(unended, 'a')).toHaveLength(0);
    expect(withBlock(unended, 'a', ['y']).toString()).toMatch(/\ny\n# bkp a end\n$/);
  });

  it('leaves every byte of others, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), (before, after) => {
        const around = Buffer.concat([before, Buffer.from('\n')]);
        const crontab = Buffer.concat([withBlock(around, 'a', ['x']), after]);
        expect(withoutBlock(crontab, 'a').equals(Buffer.concat([around, after]))).toBe(true);
        expect(blockLines(withBlock(crontab, 'a', ['y']), 'a')).toEqual(['y']);
      }),
    );
  });

  it.each([
    ['no end', '# bkp a begin\nx\n', '"# bkp a begin" has no end'],
    ['no beginning', 'x\n# bkp a end\n', '"# bkp a end" has no beginning'],
    ['two beginnings', '# bkp a begin\n# bkp a begin\n# bkp a end\n', '"# bkp a begin" has no end'],
    ['another in it', '# bkp a begin\n# bkp b begin\n# bkp b end\n# bkp a end\n', '"# bkp a begin" has no end'],
    ['the end of another', '# bkp a begin\n# bkp b end\n', '"# bkp b end" has no beginning'],
    ['a double', '# bkp a begin\n# bkp a end\n# bkp a begin\n# bkp a end\n', 'there are two blocks of a'],
    ['carriage returns', '# bkp a begin\r\nx\r\n', '"# bkp a begin" has no end'],
    ['another that has no end', '# bkp b begin\nx\n', '"# bkp b begin" has no end'],
  ])('with %s is left to people', (_, text, message) => {
    const crontab = Buffer.from(text);
    for (const edit of [withBlock, withoutBlock, blockLines]) {
      expect(() => edit(crontab, 'a', ['y'])).toThrow(`the crontab was left as it is: ${message}`);
    }
  });
});
