import type { LockedBackup } from '../operations/lock-backups.js';
import { shownName } from './display.js';
import type { LockSummary } from './json-lines/lock.js';
import type { RunEnd } from './json-lines/run.js';
import type { View } from './output.js';
import { proseLines } from './prose.js';

/** What is locked now, or is not any more. */
export function lockView(command: 'lock' | 'unlock', backups: readonly LockedBackup[], end: RunEnd): View {
  return {
    findings: [],
    allFindings: '',
    isAnswer: false,
    *text(look) {
      for (const { backup, changed } of backups) {
        yield* proseLines(`${shownName(backup.id)} ${said(command, changed)}`, look, { hang: 2 });
      }
    },
    json: () => [lockSummary(command, backups, end)],
  };
}

function said(command: 'lock' | 'unlock', changed: boolean): string {
  if (command === 'lock') return changed ? 'is locked: it is not deleted before it is unlocked' : 'was locked already';
  return changed ? 'is not locked any more' : 'was not locked';
}

function lockSummary(command: 'lock' | 'unlock', backups: readonly LockedBackup[], end: RunEnd): LockSummary {
  return {
    type: 'summary',
    command,
    id: null,
    file: null,
    sha256: null,
    complete: null,
    verified: null,
    ...end,
    backups: backups.map(({ backup: { id, file }, changed }) => ({ id, file, changed })),
  };
}
