import { shownName, shownText } from './display.js';
import type { RunEnd } from './json-lines/run.js';
import type { InstallSummary } from './json-lines/schedule-install.js';
import type { Look } from './look.js';
import type { View } from './output.js';
import { labelledLines, proseLines } from './prose.js';

/** What runs by itself from now on, or does not any more. */
export interface Installed {
  readonly kind: 'installed' | 'removed';
  readonly where: 'crontab' | 'systemd' | 'nowhere';
  /** What the block or the units are named by. */
  readonly key: string;
  /** Of a crontab. */
  readonly lines?: readonly string[];
  /** Units. */
  readonly files: readonly string[];
  /** Commands that are left to be run. */
  readonly toRun: readonly string[];
  readonly reason: string | undefined;
  readonly notes: readonly string[];
}

export function installedView(installed: Installed, end: RunEnd): View {
  return {
    findings: [],
    allFindings: '',
    isAnswer: false,
    text: (look) => installedText(installed, look),
    json: () => [installSummary(installed, end)],
  };
}

function* installedText({ kind, where, key, lines = [], files, toRun, reason, notes }: Installed, look: Look) {
  if (kind === 'installed') {
    const crontab = `Your crontab has a block "bkp ${key}" now; its other lines are as they were.`;
    yield* proseLines(where === 'crontab' ? crontab : `The units of ${key} are written.`, look);
  } else {
    const removed = `What runs ${key} was taken out of ${where}.`;
    yield* proseLines(where === 'nowhere' ? `Nothing of ${key} was installed.` : removed, look);
  }
  for (const line of lines) yield `  ${shownName(line)}`;
  for (const file of files) yield `  ${shownName(file)}`;
  for (const note of notes) yield* labelledLines(look.chalk.cyan('note:'), shownText(note), look);
  if (toRun.length > 0) yield* proseLines(`Left to be run (${shownText(reason ?? '')}):`, look);
  for (const command of toRun) yield `  ${shownName(command)}`;
}

/** What would be installed, for whoever installs it. */
export function printedView(texts: readonly string[], end: RunEnd): View {
  const installed = { kind: 'installed', where: 'nowhere', key: '', files: [], toRun: [], reason: undefined } as const;
  return {
    findings: [],
    allFindings: '',
    isAnswer: true,
    *text() {
      for (const text of texts) yield text.trimEnd();
    },
    json: () => [installSummary({ ...installed, lines: texts, notes: [] }, end)],
  };
}

function installSummary(installed: Installed, end: RunEnd): InstallSummary {
  const { kind, where, lines = [], files, toRun, notes } = installed;
  return {
    type: 'summary',
    command: kind === 'installed' ? 'schedule install' : 'schedule uninstall',
    id: null,
    file: null,
    sha256: null,
    complete: null,
    verified: null,
    ...end,
    change: kind,
    where,
    lines,
    files,
    toRun,
    notes,
  };
}
