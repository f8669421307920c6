import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { oneScreen, typedOne } from '../../src/ui/choose-one.js';
import { rowsOf, someScreen, startingWith, toggled, type ChosenSource } from '../../src/ui/choose-some.js';
import { visibleRows } from '../../src/ui/visible-rows.js';

const source = (name: string, scope: string, more: Partial<ChosenSource> = {}): ChosenSource => ({
  ...{ name, scope, files: 1, bytes: 1024, on: true, note: '' },
  ...more,
});

const sources = [
  source('a.db', 'databases'),
  source('uploads', 'uploads', { on: false }),
  source('b.db', 'databases', { bytes: undefined, note: 'not configured here' }),
];

describe('what is typed to choose one', () => {
  const ids = ['20251103T', '20251102T', '20251101T', ...Array.from({ length: 20 }, (_, at) => `19${40 - at}`)];

  it.each([
    { typed: '2', at: 1 },
    { typed: '20', at: 19 },
    { typed: '202', at: 0 },
    { typed: '20251102', at: 1 },
    { typed: '1940', at: 3 },
    { typed: '0', at: undefined },
    { typed: '2026', at: undefined },
  ])('is a number, else the beginning of a name: $typed', ({ typed, at }) => {
    expect(typedOne(typed, ids)).toBe(at);
  });
});

describe('sources to choose from', () => {
  it('have a row for a scope of several, which turns all of them on, or off where they are', () => {
    const rows = rowsOf(sources);
    expect(rows.map(({ label }) => label)).toEqual(['all databases', '  a.db', '  b.db', 'uploads']);
    const on = startingWith(sources);
    expect([...on]).toEqual([0, 2]);
    const [databases, first] = rows.map(({ members }) => members);
    expect([...toggled(on, databases!)]).toEqual([]);
    expect([...toggled(toggled(on, first!), databases!)].sort()).toEqual([0, 2]);
  });

  it('are drawn in any width and height, with the row that is meant', () => {
    const screen = someScreen({ question: 'What?', sources });
    for (const columns of [10, 30, 50, 80]) {
      for (const rows of [1, 4, 5, 24]) {
        const lines = screen.draw({ at: 3, on: new Set([0]), isEmpty: false }, { columns, rows });
        expect(lines.slice(0, rows).some((line) => line.startsWith('> '))).toBe(true);
        if (columns === 50 && rows === 24) expect(lines.at(-1)).toMatch(/^.{1,39}Esc leaves$/);
        if (columns >= 50) expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThan(columns);
      }
    }
  });
});

it('a list that is longer than the screen scrolls with the row that is meant', () => {
  const names = Array.from({ length: 50 }, (_, at) => `name ${at}`);
  for (let at = 0; at < names.length; at += 1) {
    for (const room of [0, 1, 2, 7, 50, 80]) {
      const shown = visibleRows(names, at, room);
      expect(shown).toContain(names[at]);
      expect(shown).toHaveLength(Math.max(1, Math.min(room, names.length)));
    }
  }
  const table = (): readonly string[] => ['NAME', ...names];
  const screen = oneScreen({ question: 'Which?', names, called: 'a word', table, start: 0, tell: () => '' });
  const pressed = screen.press({ at: 45, typed: '' }, { name: 'pagedown', text: '' }, { columns: 80, rows: 24 });
  expect(screen.draw({ at: 0, typed: '' }, { columns: 80, rows: 24 }).at(-1)).toContain('a number or a word; Enter');
  expect(screen.draw({ at: 0, typed: '' }, { columns: 50, rows: 24 }).at(-1)).toMatch(/^.{1,40}Esc leaves$/);
  expect(pressed).toEqual({ kind: 'go-on', state: { at: 49, typed: '' } });
});
