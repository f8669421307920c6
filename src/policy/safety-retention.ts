import type { Decision } from './decision.js';

/** A safety backup, as far as keeping it depends on it. */
export interface SafetyBackup {
  readonly id: string;
  /** Milliseconds since 1970, by its id. */
  readonly time: number;
  readonly locked: boolean;
}

/** Days for which no safety backup is removed without being asked. */
export const safetyDays = 30;
const day = 24 * 60 * 60 * 1000;

/**
 * Which safety backups (of one instance) stay: locked ones, the newest one, those younger than 30 days and those dated in
 * the future (the clock was wrong once, then or now).
 */
export function decideSafetyRetention<T extends SafetyBackup>(
  backups: readonly T[],
  now: number,
): readonly Decision<T>[] {
  const newest = Math.max(...backups.map(({ time }) => time));
  return backups.map((backup) => {
    const reasons: string[] = [];
    if (backup.locked) reasons.push('locked');
    if (backup.time === newest) reasons.push('newest');
    if (backup.time > now) reasons.push('dated in the future');
    else if (now - backup.time < safetyDays * day) reasons.push(`younger than ${safetyDays} days`);
    return { backup, keep: reasons.length > 0, reasons };
  });
}
