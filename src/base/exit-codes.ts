/** The one table of exit codes: what the process returns, shown in `--help` and the README. A code not in it means failure. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  incomplete: 3,
  notFound: 10,
  lockHeld: 11,
  passphrase: 12,
  noSpace: 13,
  damaged: 14,
  refused: 15,
  unhealthy: 16,
  rolledBack: 17,
  rollbackFailed: 18,
  hangup: 129,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitName = keyof typeof exitCodes;
export type ExitCode = (typeof exitCodes)[ExitName];

export const exitMeanings: Record<ExitName, string> = {
  done: 'done, and proven unless `-o -` or `--quick-check` was asked for',
  failed: 'failed',
  usage: 'usage or configuration',
  incomplete: 'finished but incomplete',
  notFound: 'backup, file or storage not found',
  lockHeld: 'another run holds the lock',
  passphrase: 'passphrase wrong or missing',
  noSpace: 'not enough space',
  damaged: 'damaged or altered',
  refused: 'refused',
  unhealthy: 'stale or unhealthy',
  rolledBack: 'restore failed and was rolled back',
  rollbackFailed: 'restore failed, and so did its rollback',
  hangup: 'hung up, after cleaning up',
  interrupted: 'interrupted, after cleaning up',
  terminated: 'terminated, after cleaning up',
};
