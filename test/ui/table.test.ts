import { describe, expect, it } from 'vitest';
import { factLines, tableLines } from '../../src/ui/table.js';

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
    expect(tableLines(columns, 16)[1]).toBe('Tür   data…');
    expect(tableLines(columns, 3)[1]).toBe('Tür   data…');
  });

  it('does not cut within what is seen as one character', () => {
    const cells = ['👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦'];
    expect(tableLines([{ title: 'A', cells, shrink: { to: 2, order: 1 } }], 5)[1]).toBe('👩‍👩‍👧‍👦👩‍👩‍👧‍👦…');
  });
});

describe('factLines', () => {
  it('puts values below each other, and leaves out what is not known', () => {
    const facts = [['size', '1 B'] as const, ['comment', undefined] as const, ['sha256', 'aa'] as const];
    expect(factLines(facts)).toEqual(['  size    1 B', '  sha256  aa']);
  });
});
