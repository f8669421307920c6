import type { DeletePlan, DeleteResult } from '../operations/delete-backups.js';
import type { ListedBackup } from '../operations/list-backups.js';
import { shownName } from './display.js';
import { counted, formatBytes } from './format.js';
import type { DeleteSummary } from './json-lines/delete.js';
import type { RunEnd } from './json-lines/run.js';
import type { View } from './output.js';
import { proseLines } from './prose.js';
import { tableLines } from './table.js';

/** What is about to be deleted, for the person who is asked. */
export function deleteQuestionView({ backups, missing }: Omit<DeletePlan, 'request'>): View {
  return {
    findings: [],
    allFindings: '',
    isAnswer: false,
    beforeQuestion: true,
    *text(look) {
      if (backups.length > 0) yield `To be deleted for good (${total(backups)}):`;
      const columns = [
        { title: '', cells: backups.map(({ id }) => `  ${shownName(id)}`) },
        { title: '', align: 'right' as const, cells: backups.map(({ bytes }) => formatBytes(bytes)) },
        { title: '', cells: backups.map(({ status }) => status) },
      ];
      yield* tableLines(columns, look.width).slice(1);
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
    *text(look) {
      for (const { id } of deleted) yield `${shownName(id)} is deleted`;
      if (deleted.length > 1) yield `Deleted ${total(deleted)}.`;
      for (const id of forgotten) {
        yield* proseLines(`${shownName(id)} is forgotten: there was no file to delete`, look, { hang: 2 });
      }
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
