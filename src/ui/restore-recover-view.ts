import type { RecoverResult } from '../operations/recover-restore.js';
import { shownName } from './display.js';
import type { RestoreSummary } from './json-lines/restore.js';
import type { RunEnd } from './json-lines/run.js';
import type { Look } from './look.js';
import type { View } from './output.js';
import { proseLines } from './prose.js';
import { asideFields, asideText } from './restore-aside-view.js';

/** What became of a restore that was interrupted. */
export function recoverView(result: RecoverResult, root: string, end: RunEnd): View {
  return {
    findings: [],
    allFindings: '',
    isAnswer: false,
    text: (look) => recoverText(result, root, look),
    json: () => [recoverSummary(result, root, end)],
  };
}

function* recoverText(result: RecoverResult, root: string, look: Look): Iterable<string> {
  const shown = shownName(root);
  yield* proseLines(outcomeText(result.outcome, shown, look), look, { hang: 2, whole: [shown] });
  yield* asideText(result, look);
}

function outcomeText(outcome: RecoverResult['outcome'], root: string, { chalk }: Look): string {
  switch (outcome) {
    case 'finished':
      return `The interrupted restore of ${root} is ${chalk.green('finished')}: the restored state is there.`;
    case 'undone':
      return `The interrupted restore of ${root} is ${chalk.green('undone')}: everything is as it was before it.`;
    case 'nothing':
      return `Nothing to recover: no restore of ${root} is unfinished.`;
  }
}

function recoverSummary(result: RecoverResult, root: string, end: RunEnd): RestoreSummary {
  const unknown = { files: null, directories: null, links: null, bytes: null, databases: null };
  return {
    type: 'summary',
    command: 'restore',
    id: null,
    file: null,
    sha256: null,
    complete: null,
    verified: null,
    ...end,
    dryRun: false,
    inPlace: true,
    outcome: result.outcome,
    target: root,
    sources: [],
    changes: [],
    space: [],
    inUse: [],
    schedules: null,
    safety: null,
    ...asideFields(result),
    counts: { ...unknown, losses: 0, notes: 0 },
  };
}
