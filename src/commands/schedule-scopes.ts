import { suggestion } from '../config/fault.js';
import type { Source } from '../operations/source.js';
import { usageError } from './usage.js';

/** Throws `usage` where a scope is named that no source has: a schedule with it would back up less than was meant. */
export function knownScopes(scopes: string | null, sources: readonly Source[]): void {
  if (scopes === null) return;
  const known = [...new Set(sources.map(({ scope }) => scope))];
  const unknown = scopes.split(',').find((scope) => !known.includes(scope));
  if (unknown === undefined) return;
  const meant = suggestion(unknown, known);
  const help = meant === undefined ? '' : `Did you mean ${meant}? `;
  throw usageError(`no source has the scope ${unknown}`, `${help}There are: ${known.join(', ')}.`);
}
