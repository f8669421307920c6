import { shown } from './fault.js';

/** Why a text cannot be a command for the shell, which may have several lines; undefined where it can. */
export function commandFault(raw: string): string | undefined {
  return raw.trim() === '' ? 'must be a command, not an empty text' : wordFault(raw);
}

/** Why a text cannot be passed to a program; undefined where it can. */
export function wordFault(raw: string): string | undefined {
  return raw.includes('\0') ? `must be a text without NUL, not ${shown(raw)}` : undefined;
}
