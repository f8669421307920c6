import picomatch from 'picomatch';
import { excludeMatcher, type PathMatcher } from '../fs/globs.js';
import { walk, type Walked } from '../fs/walk.js';
import type { Reserved, ResolvedSource } from './resolve-sources.js';
import type { Source } from './source.js';

/** Everything of a folder source, or the files that a `files` source names, in archive order. */
export function walkSource(
  { source, real }: ResolvedSource,
  excludes: readonly string[],
  reserved: Reserved,
): Generator<Walked, void, undefined> {
  const isLeftOut = leftOutOf(source, excludes);
  // Not `join`, which takes paths apart: this is asked for each of a million files.
  const base = real === '/' ? '' : real;
  const absoluteOf = (path: string): string => `${base}${path.slice(source.name.length)}` || '/';
  return walk({
    root: real,
    prefix: source.name,
    // What is reserved is not even looked at: sidecars come and go.
    exclude: (path, isDirectory) => isLeftOut(path, isDirectory) || reserved.has(absoluteOf(path)),
  });
}

/** What of a folder source is left out by the user's wish. */
export function leftOutOf(source: Source, excludes: readonly string[]): PathMatcher {
  const general = excludeMatcher([...excludes, ...ownExcludes(source)]);
  const named = namedPart(source);
  return (path, isDirectory) => general(path, isDirectory) || named?.(path, isDirectory) === true;
}

/** What limits a source to a part of its folder. */
function namedPart(source: Source): PathMatcher | undefined {
  if (source.type === 'files') return namedOnly(source.name, source.patterns);
  if (source.type !== 'directory' || source.only === undefined) return undefined;
  const part = `${source.name}/${source.only}`;
  return (path) => path !== part && !path.startsWith(`${part}/`);
}

/** A source's own globs match below the source: they get its name in front. */
function ownExcludes(source: Source): readonly string[] {
  return source.type === 'directory' ? source.exclude.map((glob) => `${escapeGlob(source.name)}/${glob}`) : [];
}

const escapeGlob = (name: string): string => name.replace(/[\\*?[\]{}()!+@|]/g, '\\$&');

/** Leaves out what no pattern names; folders are kept only where a pattern may match below them. */
function namedOnly(name: string, patterns: readonly string[]): PathMatcher {
  const options = { dot: true, flags: 's' } as const;
  const whole = picomatch([...patterns], options);
  const prefixes = patterns.map((pattern) => pattern.split('/').map((segment) => picomatch(segment, options)));
  // Where alternatives hold a slash, segments alone do not tell what the pattern means.
  const anywhere = patterns.some((pattern) => /\*\*|[{(][^})]*\//.test(pattern));
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

/**
 * What a `files` source names and does not have: each path that is no glob, and the source itself where nothing matched.
 * `found`: the paths of the entries that were there.
 */
export function missingFiles(
  { source }: ResolvedSource,
  found: ReadonlySet<string>,
): readonly { readonly path: string; readonly message: string }[] {
  if (source.type !== 'files') return [];
  const { name, patterns, optional } = source;
  if (found.size === 0) return [{ path: name, message: `no file matches ${patterns.join(', ')}` }];
  if (optional) return [];
  return patterns
    .filter((pattern) => !picomatch.scan(pattern).isGlob && !found.has(`${name}/${pattern}`))
    .map((pattern) => ({ path: `${name}/${pattern}`, message: 'there is no such file' }));
}
