import type { DeletePlan, DeleteResult } from '../operations/delete-backups.js';
import type { ListedBackup } from '../operations/list-backups.js';
import { shownName } from './display.js';
import { counted, formatBytes } from './format.js';
import type { DeleteSummary } from './json-lines/delete.js';
import type { RunEnd } from './json-lines/run.js';
import type { View } from './output.js';

/** What is about to be deleted, for the person who is asked. */
export function deleteQuestionView({ backups, missing }: Omit<DeletePlan, 'request'>): View {
  return {
    findings: [],
    allFindings: '',
    isAnswer: false,
    beforeQuestion: true,
    *text() {
      if (backups.length > 0) yield `To be deleted for good (${total(backups)}):`;
      for (const { id, bytes, status } of backups) yield `  ${shownName(id)}  ${formatBytes(bytes)}  ${status}`;
      if (missing.length > 0) yield 'To be forgotten, for no file is there any more:';
      for (const id of missing) yield `  ${shownName(id)}`;
    },
    json: () => [],
  };
}

/** What is not there any more. */
export function deleteView({ deleted, forgotten }: DeleteResult, end: RunEnd): View {
  return {
    findings: [],
    allFindings: '',
    isAnswer: false,
    *text() {
      for (const { id } of deleted) yield `${shownName(id)} is deleted`;
      if (deleted.length > 1) yield `Deleted ${total(deleted)}.`;
      for (const id of forgotten) yield `${shownName(id)} is forgotten: there was no file to delete`;
    },
    json: () => [deleteSummary({ deleted, forgotten }, end)],
  };
}

function total(backups: readonly ListedBackup[]): string {
  return `${counted(backups.length, 'backup')}, ${formatBytes(backups.reduce((sum, { bytes }) => sum + bytes, 0))}`;
}

function deleteSummary({ deleted, forgotten }: DeleteResult, end: RunEnd): DeleteSummary {
  return {
    type: 'summary',
    command: 'delete',
    id: null,
    file: null,
    sha256: null,
    complete: null,
    verified: null,
    ...end,
    backups: deleted.map(({ id, file, bytes }) => ({ id, file, bytes })),
    forgotten,
  };
}
