import picomatch from 'picomatch';
import type { EntryPath } from '../base/entry-path.js';
import { BkpError, errorText } from '../base/errors.js';

export type PathMatcher = (path: EntryPath, isDirectory: boolean) => boolean;

/**
 * Whether a path (`source/path/below`) is left out by any of the globs: it matches itself, or a folder it lies in does.
 * Files beginning with a dot are like any other; `a/**` is all below `a` but not `a`; a slash at the end makes a glob
 * match folders only. Throws `usage` on a glob that says nothing sensible.
 */
export function excludeMatcher(globs: readonly string[]): PathMatcher {
  const matchers = globs.map(parseGlob);
  if (matchers.length === 0) return () => false;
  const matches = (path: string, isDirectory: boolean): boolean => matchers.some((one) => one(path, isDirectory));
  return (path, isDirectory) => {
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      if (matches(path.slice(0, slash), true)) return true;
    }
    return matches(path, isDirectory);
  };
}

/** `flags`: without it `**` ends at a newline in a name. */
const options = { dot: true, strictBrackets: true, strictSlashes: true, flags: 's' } as const;

function parseGlob(glob: string): (path: string, isDirectory: boolean) => boolean {
  const foldersOnly = glob.endsWith('/') && !glob.endsWith('\\/');
  const body = foldersOnly ? glob.slice(0, -1) : glob;
  const fault = globFault(body);
  if (fault !== undefined) throw badGlob(glob, fault);
  try {
    const matches = picomatch(body, options);
    return (path, isDirectory) => (isDirectory || !foldersOnly) && matches(path);
  } catch (error) {
    throw badGlob(glob, errorText(error));
  }
}

/** Globs that picomatch takes, but that match nothing, or everything the user did not name. */
function globFault(glob: string): string | undefined {
  if (glob === '') return 'it is empty';
  if (glob.startsWith('/')) return "it begins with a slash, but paths begin with a source's name";
  if (glob.split('/').some((segment) => segment === '..' || segment === '.')) return 'it has a `.` or `..` segment';
  if (/^!(?!\()/.test(glob)) return 'it is negated';
  return undefined;
}

function badGlob(glob: string, fault: string): BkpError {
  return new BkpError('usage', `the glob ${JSON.stringify(glob)} cannot be used: ${fault}`, {
    hint: 'A glob matches `source/path`, for example `uploads/cache/**` or `**/*.tmp`.',
  });
}
