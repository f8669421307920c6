import type { Decision } from './decision.js';

/**
 * How many backups a run that nobody watches removes at most: a definition that was edited by mistake, or came back with an
 * old database, costs little until somebody looks.
 */
export const automaticLimit = 2;

export interface LimitedRetention<T> {
  readonly decisions: readonly Decision<T>[];
  /** How many more `bkp prune` would remove. */
  readonly left: number;
}

/** Of what may be removed, the oldest two are; the others stay for now. */
export function limitAutomatic<T extends { readonly time: number }>(
  decisions: readonly Decision<T>[],
): LimitedRetention<T> {
  const removed = decisions.filter(({ keep }) => !keep).toSorted((a, b) => a.backup.time - b.backup.time);
  const spared = new Set(removed.slice(automaticLimit));
  const reason = `left for \`bkp prune\`: a scheduled run removes ${automaticLimit} at most`;
  return {
    decisions: decisions.map((decision) =>
      spared.has(decision) ? { ...decision, keep: true, reasons: [reason] } : decision,
    ),
    left: spared.size,
  };
}
