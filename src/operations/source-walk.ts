import picomatch from 'picomatch';
import type { EntryPath } from '../base/entry-path.js';
import { excludeMatcher } from '../fs/globs.js';
import { walk, type Walked } from '../fs/walk.js';
import type { Reserved, ResolvedSource } from './resolve-sources.js';

/** Everything of a folder source, or the files that a `files` source names, in archive order. */
export function walkSource(
  { source, real }: ResolvedSource,
  excludes: readonly string[],
  reserved: Reserved,
): Generator<Walked, void, undefined> {
  const general = excludeMatcher([...excludes, ...ownExcludes(source)]);
  const named = source.type === 'files' ? namedOnly(source.name, source.patterns) : undefined;
  return walk({
    root: real,
    prefix: source.name,
    exclude: (path, isDirectory) => general(path, isDirectory) || named?.(path, isDirectory) === true,
    // The source's own root is reserved against others, not against itself.
    skip: ({ absolute }) => absolute !== real && reserved.has(absolute),
  });
}

/** A source's own globs match below the source: they get its name in front. */
function ownExcludes(source: ResolvedSource['source']): readonly string[] {
  return source.type === 'directory' ? source.exclude.map((glob) => `${escapeGlob(source.name)}/${glob}`) : [];
}

const escapeGlob = (name: string): string => name.replace(/[\\*?[\]{}()!+@|]/g, '\\$&');

/** Leaves out what no pattern names; folders are kept only where a pattern may match below them. */
function namedOnly(name: string, patterns: readonly string[]): (path: EntryPath, isDirectory: boolean) => boolean {
  const options = { dot: true } as const;
  const whole = picomatch([...patterns], options);
  const prefixes = patterns.map((pattern) => pattern.split('/').map((segment) => picomatch(segment, options)));
  const anywhere = patterns.some((pattern) => pattern.includes('**'));
  const mayHold = (segments: readonly string[]): boolean =>
    anywhere ||
    prefixes.some(
      (prefix) => prefix.length > segments.length && segments.every((part, i) => prefix[i]?.(part) === true),
    );
  return (path, isDirectory) => {
    const inside = path.slice(name.length + 1);
    return isDirectory ? !mayHold(inside.split('/')) : !whole(inside);
  };
}
