import { BkpError } from '../base/errors.js';

/** What was typed cannot be meant so. */
export const usageError = (message: string, hint: string): BkpError => new BkpError('usage', message, { hint });

/** `a,b` given once or several times: the names in order, each once. */
export function namesOf(lists: readonly string[] | undefined, flag: string): readonly string[] | undefined {
  if (lists === undefined) return undefined;
  const names = lists.flatMap((list) => list.split(',')).map((name) => name.trim());
  if (names.some((name) => name === '')) {
    throw usageError(
      `${flag} has an empty name in its list`,
      `Separate names with single commas: ${flag} uploads,snapshots`,
    );
  }
  return [...new Set(names)];
}

/** For options that may be given several times. */
export const collected = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];
