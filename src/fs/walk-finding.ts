import { systemCode } from '../base/errors.js';
import { displayName } from './display-name.js';
import { reasonOf } from './reason.js';

export interface WalkFinding {
  readonly kind: 'finding';
  readonly id: 'name-not-utf8' | 'link-leaves-source' | 'file-unreadable' | 'file-vanished' | 'special-file';
  /** As an entry's path, escaped for display. */
  readonly path: string;
  readonly message: string;
  /** Of the system, where a look at it failed. */
  readonly code?: string;
}

export function finding(id: WalkFinding['id'], path: string, message: string): WalkFinding {
  return { kind: 'finding', id, path: displayName(path), message };
}

export function badNameFinding(folder: string, name: Buffer): WalkFinding {
  const path = `${displayName(folder)}${displayName(name)}`;
  return { kind: 'finding', id: 'name-not-utf8', path, message: 'its name is not valid UTF-8' };
}

export function replacedFinding(path: string): WalkFinding {
  return finding('file-vanished', path, 'something else took its place while the folder was read');
}

export function accessFinding(path: string, error: unknown): WalkFinding {
  const code = systemCode(error) ?? '';
  const gone = ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(code);
  return { ...finding(gone ? 'file-vanished' : 'file-unreadable', path, reasonOf(error)), code };
}
