import { describe, expect, it } from 'vitest';
import { BkpError } from '../../src/base/errors.js';
import { selectSources, type Selection } from '../../src/commands/select-sources.js';
import type { Source } from '../../src/operations/source.js';

const sources: readonly Source[] = [
  { name: 'db', scope: 'databases', enabled: true, type: 'sqlite', path: '/srv/db' },
  { name: 'old.db', scope: 'databases', enabled: false, type: 'sqlite', path: '/srv/old.db' },
  { name: 'uploads', scope: 'uploads', enabled: true, type: 'directory', path: '/srv/uploads', exclude: [] },
  { name: 'config', scope: 'config', enabled: false, type: 'files', path: '/srv', patterns: ['.env'], optional: true },
];

function select({ only, scopes = [] }: { only?: readonly string[]; scopes?: readonly [string, boolean][] }) {
  const selection: Selection = { only, scopes: new Map(scopes) };
  const { sources: selected, leftOut } = selectSources(sources, selection);
  return { selected: selected.map(({ name }) => name), leftOut };
}

function idOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return error instanceof BkpError ? error.id : 'not expected';
  }
  return undefined;
}

describe('selectSources', () => {
  it('takes what is on, and names the others', () => {
    expect(select({})).toEqual({ selected: ['db', 'uploads'], leftOut: ['old.db', 'config'] });
  });

  it('turns scopes on and off', () => {
    expect(select({ scopes: [['uploads', false]] }).selected).toEqual(['db']);
    expect(select({ scopes: [['databases', true]] }).selected).toEqual(['db', 'old.db', 'uploads']);
    expect(select({ scopes: [['config', true]] }).selected).toEqual(['db', 'uploads', 'config']);
  });

  it('takes exactly those named, on or not, in the order of the configuration', () => {
    expect(select({ only: ['config', 'old.db'] })).toEqual({
      selected: ['old.db', 'config'],
      leftOut: ['db', 'uploads'],
    });
  });

  it('refuses names it does not know, contradictions, and to back up nothing', () => {
    expect(idOf(() => select({ only: ['db', 'nothing'] }))).toBe('source-unknown');
    expect(idOf(() => select({ only: ['db'], scopes: [['uploads', false]] }))).toBe('usage');
    expect(idOf(() => select({ only: [] }))).toBe('usage');
    const off: [string, boolean][] = [
      ['databases', false],
      ['uploads', false],
    ];
    expect(idOf(() => select({ scopes: off }))).toBe('usage');
  });
});
