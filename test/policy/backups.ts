import { formatBackupId } from '../../src/policy/backup-name.js';
import type { Decision } from '../../src/policy/decision.js';
import { decideRetention, type RetainedBackup } from '../../src/policy/retention.js';
import type { Retention, RetentionPolicy } from '../../src/policy/retention-policy.js';
import { tableOf } from './golden.js';

export const instance = 'site';

/** A complete backup of the schedule `daily`, but for what is said. */
export function backup(time: number, fields: Partial<RetainedBackup> = {}): RetainedBackup {
  const origin = 'origin' in fields ? fields.origin : 'daily';
  const id = formatBackupId({ time, origin: origin ?? 'elsewhere' });
  return { id, time, origin, instance, foreign: false, status: 'ok', locked: false, ...fields };
}

export function decide(
  backups: readonly RetainedBackup[],
  policy: RetentionPolicy,
  now: number,
  timezone = 'UTC',
): readonly Decision<RetainedBackup>[] {
  return decideRetention(backups, retentions(policy, timezone), now);
}

export const retentions = (policy: RetentionPolicy, timezone = 'UTC'): ReadonlyMap<string, Retention> =>
  new Map([['daily', { policy, timezone }]]);

export const keptOf = <T>(decisions: readonly Decision<T>[]): readonly T[] =>
  decisions.filter(({ keep }) => keep).map(({ backup: each }) => each);

/** What a policy makes of backups, as a table: the newest first. */
export function decisionTable(
  decisions: readonly Decision<RetainedBackup>[],
  shown: (time: number) => string,
): readonly string[] {
  const sorted = decisions.toSorted((a, b) => b.backup.time - a.backup.time);
  return tableOf([
    ['ID', 'THERE', 'KEEP', 'WHY'],
    ...sorted.map(({ backup: { id, time }, keep, reasons }) => [
      id,
      shown(time),
      keep ? 'keep' : 'remove',
      reasons.join(', '),
    ]),
  ]);
}

export const policyText = (policy: RetentionPolicy): string =>
  Object.entries(policy)
    .map(([rule, count]) => `${rule} ${count}`)
    .join(', ');
