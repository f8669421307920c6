import { readFileSync } from 'node:fs';
import { ioError } from '../base/errors.js';
import type { OwnerPolicy } from '../operations/plan-in-place.js';
import { usageError } from './usage.js';

/** Where the system keeps its names: passwd(5), group(5). */
export interface NameFiles {
  readonly passwd: string;
  readonly group: string;
}

const systemFiles: NameFiles = { passwd: '/etc/passwd', group: '/etc/group' };

/** `--owner` of a restore in place. Throws `usage`. */
export function inPlaceOwner(text: string | undefined, files: NameFiles = systemFiles): OwnerPolicy {
  if (text === undefined || text === 'target') return { kind: 'target' };
  if (text === 'archive') return { kind: 'archive' };
  if (text === 'self') {
    throw usageError('--owner self goes with --target only', 'In place: target (the default), archive or user:group.');
  }
  const [user, group, ...more] = text.split(':');
  if (user === undefined || user === '' || group === undefined || group === '' || more.length > 0) {
    throw usageError(`--owner ${text} is none of target, archive and user:group`, 'As in --owner www-data:www-data.');
  }
  return { kind: 'ids', uid: idOf(user, 'user', files.passwd), gid: idOf(group, 'group', files.group) };
}

/** `--owner` with `--target`. Throws `usage`. */
export function elsewhereOwner(text: string | undefined): 'archive' | 'self' {
  if (text === 'archive' || text === 'self') return text;
  if (text === undefined) return process.geteuid?.() === 0 ? 'archive' : 'self';
  throw usageError(
    `--owner ${text} does not go with --target`,
    'Into another folder: archive (owners as recorded; needs root) or self (yours).',
  );
}

/** One more than the last says "no change" to chown(2). */
const largestId = 4_294_967_294;

function idOf(text: string, what: 'user' | 'group', file: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) <= largestId) return Number(text);
  const line = linesOf(file).find((fields) => fields[0] === text);
  const id = line?.[2] ?? '';
  if (/^\d{1,10}$/.test(id)) return Number(id);
  throw usageError(`--owner: there is no ${what} ${text} in ${file}`, 'Pass its number: --owner 33:33.');
}

function linesOf(file: string): readonly (readonly string[])[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
  } catch (error) {
    throw ioError('reading', file, error);
  }
}
