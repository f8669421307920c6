/** A `fault` makes an instance unhealthy, a `note` does not. A problem without a line here does not compile. */
export const healthInfo = {
  'no-backup': { level: 'fault', title: 'Never backed up' },
  'too-old': { level: 'fault', title: 'The newest backup is too old' },
  'schedule-overdue': { level: 'fault', title: 'A schedule is overdue' },
  'schedule-failed': { level: 'fault', title: 'The last run of a schedule failed' },
  'schedule-incomplete': { level: 'fault', title: 'The last run of a schedule was incomplete' },
  'schedule-invalid': { level: 'fault', title: 'A schedule cannot be read and does not run' },
  'backup-damaged': { level: 'fault', title: 'A backup is damaged' },
  'backup-missing': { level: 'fault', title: 'A backup is not there any more' },
  'space-short': { level: 'fault', title: 'The next backup will hardly fit' },
  'restore-unfinished': { level: 'fault', title: 'A restore in place is not finished' },
  'space-low': { level: 'note', title: 'Free space is getting low' },
  'same-device': { level: 'note', title: 'Backups and data are on the same device' },
  'backup-incomplete': { level: 'note', title: 'Incomplete backups' },
  'backup-unreadable': { level: 'note', title: 'Backups that cannot be read here' },
  'backup-future': { level: 'note', title: 'Backups dated in the future' },
  'no-schedule': { level: 'note', title: 'Nothing runs by itself' },
} as const satisfies Record<string, { readonly level: 'fault' | 'note'; readonly title: string }>;
export type HealthId = keyof typeof healthInfo;

export interface HealthProblem {
  readonly id: HealthId;
  readonly level: 'fault' | 'note';
  /** The schedule or the backup it is about; null where it is about the whole. */
  readonly subject: string | null;
  /** A whole sentence without its full stop. */
  readonly message: string;
}

export function problem(id: HealthId, subject: string | null, message: string): HealthProblem {
  return { id, level: healthInfo[id].level, subject, message };
}
