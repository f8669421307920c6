import { describe, expect, it } from 'vitest';
import { tableLines } from '../../src/ui/table.js';

const columns = [
  { title: 'NAME', cells: ['Tür', '日本'] },
  { title: 'SIZE', align: 'right' as const, cells: ['1', '1000'], drop: { order: 2 } },
  { title: 'MORE', cells: ['databases,uploads', ''], shrink: { to: 5, order: 1 } },
  { title: 'NEVER', cells: ['', ''] },
];

describe('tableLines', () => {
  it('aligns by the columns a terminal needs, and leaves out what is empty', () => {
    expect(tableLines(columns, 80)).toEqual([
      'NAME  SIZE  MORE', //
      'Tür      1  databases,uploads',
      '日本  1000',
    ]);
  });

  it('takes its measures in their order until it fits', () => {
    expect(tableLines(columns, 24)[1]).toBe('Tür      1  databases,u…');
    expect(tableLines(columns, 17)[1]).toBe('Tür      1  data…');
    expect(tableLines(columns, 16)[1]).toBe('Tür   databases…');
    expect(tableLines(columns, 3)[1]).toBe('Tür   data…');
  });

  it('gives back what was cut before another column was left out', () => {
    const more = { title: 'WHY', cells: ['because of it'], shrink: { to: 3, order: 1 } };
    const side = { title: 'SIDE', cells: ['xxxxxxxxxx'], drop: { order: 2 } };
    expect(tableLines([more, side], 14)[1]).toBe('because of it');
  });

  it('says it in fewer words before it cuts, and cuts paths in their middle', () => {
    const when = { title: 'WHEN', cells: ['complete 3 hours ago'], brief: { cells: ['complete'], order: 1 } };
    const path = { title: 'PATH', cells: ['/srv/a/long/way/var/system.brain'] };
    const shrink = { to: 12, order: 2, at: 'middle' } as const;
    const row = (width: number): string | undefined => tableLines([when, { ...path, shrink }], width)[1];
    expect(row(80)).toBe('complete 3 hours ago  /srv/a/long/way/var/system.brain');
    expect(row(50)).toBe('complete  /srv/a/long/way/var/system.brain');
    expect(row(34)).toBe('complete  /srv/a/…var/system.brain');
    expect(row(10)).toBe('complete  /sr…em.brain');
  });

  it('does not cut within what is seen as one character', () => {
    const cells = ['👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦'];
    expect(tableLines([{ title: 'A', cells, shrink: { to: 2, order: 1 } }], 5)[1]).toBe('👩‍👩‍👧‍👦👩‍👩‍👧‍👦…');
  });
});
