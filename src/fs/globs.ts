import picomatch from 'picomatch';
import type { EntryPath } from '../base/entry-path.js';
import { BkpError, errorText } from '../base/errors.js';

export type PathMatcher = (path: EntryPath, isDirectory: boolean) => boolean;

const longestGlob = 4096;
const longestShown = 60;
const shown = (glob: string): string =>
  JSON.stringify(glob.length > longestShown ? `${glob.slice(0, longestShown)}…` : glob);

/**
 * Why a text cannot be a glob, as it goes on after what names it; undefined where it can. One rule for the configuration
 * and the command line: what could never match, or would match the opposite of what it seems to, is a fault.
 */
export function globFault(glob: string): string | undefined {
  if (glob.trim() === '') return 'must be a glob, not an empty text';
  if (glob.length > longestGlob) return `must be a glob of at most ${longestGlob} characters`;
  if (/\p{Cc}/u.test(glob)) return `must be a glob without control characters, not ${shown(glob)}`;
  // A leading "!" turns a glob around: as an exclude it would leave out everything else.
  if (/^!(?!\()/.test(glob)) return `must not begin with "!": ${shown(glob)} would turn around`;
  if (glob.startsWith('/')) return `must be relative, not ${shown(glob)}`;
  if (glob.split('/').some((segment) => segment === '' || segment === '.' || segment === '..')) {
    return `must be relative, without empty, "." or ".." parts and without a "/" at its end, not ${shown(glob)}`;
  }
  return undefined;
}

/**
 * Whether a path (`source/path/below`) is left out by any of the globs: it matches itself, or a folder it lies in does.
 * Files beginning with a dot are like any other; `a/**` is all below `a` but not `a`. Throws `usage` on a glob that
 * `globFault` names or that cannot be parsed.
 */
export function excludeMatcher(globs: readonly string[]): PathMatcher {
  const matchers = globs.map(parseGlob);
  if (matchers.length === 0) return () => false;
  const matches = (path: string): boolean => matchers.some((one) => one(path));
  return (path) => {
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      if (matches(path.slice(0, slash))) return true;
    }
    return matches(path);
  };
}

/** `flags`: without it `**` ends at a newline in a name. */
const options = { dot: true, strictBrackets: true, strictSlashes: true, flags: 's' } as const;

function parseGlob(glob: string): (path: string) => boolean {
  const fault = globFault(glob);
  if (fault !== undefined) throw badGlob(glob, `it ${fault}`);
  try {
    return picomatch(glob, options);
  } catch (error) {
    throw badGlob(glob, errorText(error));
  }
}

function badGlob(glob: string, fault: string): BkpError {
  return new BkpError('usage', `the glob ${JSON.stringify(glob)} cannot be used: ${fault}`, {
    hint: 'A glob matches `source/path`, for example `uploads/cache/**` or `**/*.tmp`.',
  });
}
