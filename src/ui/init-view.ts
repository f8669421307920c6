import type { Proposal, ProposedSource } from '../policy/proposal.js';
import type { Survey } from '../operations/survey.js';
import { shownName } from './display.js';
import { counted } from './format.js';
import type { InitSummary } from './json-lines/init.js';
import type { RunEnd } from './json-lines/run.js';
import type { SourceLine } from './json-lines/source.js';
import type { Look } from './look.js';
import type { View } from './output.js';
import { factLines, proseLines } from './prose.js';

/** What a look at a folder came to: the configuration that would be written, and what there is to know of it. */
export interface InitPlan {
  readonly root: string;
  readonly file: string;
  readonly text: string;
  readonly isCms: boolean;
  readonly proposal: Proposal;
  readonly survey: Pick<Survey, 'unread' | 'cut'>;
  /** Default sources of a CMS whose files are not there. */
  readonly missing: readonly string[];
}

/** The file as it would be; `question`: for the person who is asked whether to write it. */
export function initPlanView(plan: InitPlan, purpose: 'answer' | 'question' | 'report'): View {
  const remark = remarks(plan).join('\n');
  return {
    findings: [],
    allFindings: '',
    isAnswer: purpose !== 'report',
    beforeQuestion: purpose === 'question',
    ...(remark === '' ? {} : { remark }),
    text: () => plan.text.trimEnd().split('\n'),
    json: () => plan.proposal.sources.map(proposedLine),
  };
}

/** What was not seen, or will not be backed up as it is. */
function remarks({ isCms, proposal, survey, missing }: InitPlan): readonly string[] {
  const { unread, cut } = survey;
  const [first] = unread;
  const more = unread.length > 1 ? ` (and ${counted(unread.length - 1, 'more', 'more')}; --json names them)` : '';
  return [
    ...(isCms ? ['the CMS needs no configuration: this file only says what holds without it'] : []),
    ...(missing.length === 0
      ? []
      : [`not there, so that a backup will be incomplete: ${missing.map(shownName).join(', ')}`]),
    ...(first === undefined ? [] : [`not seen: ${shownName(first.path)}: ${first.reason}${more}`]),
    ...(cut === undefined ? [] : [cuts[cut]]),
    ...(proposal.unnamed.length === 0
      ? []
      : [
          `in no source: ${counted(proposal.unnamed.length, 'database')}, such as ${shownName(proposal.unnamed[0] ?? '')}`,
        ]),
  ];
}

const cuts: Readonly<Record<NonNullable<Survey['cut']>, string>> = {
  entries: 'there is too much in the folder to look at all of it; data may have been missed',
  depth: 'what lies deeper than eight folders was not looked at',
  time: 'looking took too long and was ended; data may have been missed',
};

export interface InitEnd extends RunEnd {
  readonly dryRun: boolean;
}

/** `again`: how the user calls bkp for this instance. */
export function initView(plan: InitPlan, again: string, end: InitEnd): View {
  const base = { findings: [], allFindings: '', isAnswer: false, json: () => [initSummary(plan, end)] };
  if (end.dryRun) return { ...base, text: () => [], remark: 'nothing was written (--dry-run)' };
  return { ...base, text: (look) => writtenText(plan.file, again, look) };
}

function* writtenText(file: string, again: string, look: Look): Iterable<string> {
  const shown = shownName(file);
  yield* proseLines(look.chalk.bold(`Wrote ${shown}.`), look, { hang: 2, whole: [`${shown}.`] });
  const steps = [
    ['look', `${shownName(again)} doctor`, 'whole'],
    ['next', `${shownName(again)} create`, 'whole'],
  ] as const;
  yield* factLines(steps, look);
}

function proposedLine(source: ProposedSource): SourceLine {
  const { name, type, scope, enabled } = source;
  return {
    type: 'source',
    name,
    sourceType: type,
    scope,
    path: source.type === 'files' ? '.' : source.path,
    place: null,
    selected: enabled,
    files: source.type === 'sqlite' ? 1 : null,
    bytes: source.type === 'sqlite' ? source.database.bytes : null,
    database: null,
    liveDatabases: [],
  };
}

function initSummary(plan: InitPlan, { dryRun, ...end }: InitEnd): InitSummary {
  const { root, file, text, proposal, survey, missing } = plan;
  const { applications, unnamed, uncovered } = proposal;
  return {
    type: 'summary',
    command: 'init',
    id: null,
    file: null,
    sha256: null,
    complete: null,
    verified: null,
    ...end,
    dryRun,
    root,
    applications,
    configFile: file,
    written: !dryRun,
    text,
    unread: survey.unread,
    unnamed,
    uncovered,
    missing,
    cut: survey.cut ?? null,
  };
}
