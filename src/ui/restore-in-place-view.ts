import { hasLoss, ofKind, type Finding } from '../manifest/findings.js';
import type { InPlacePlan } from '../operations/plan-in-place.js';
import type { InPlaceResult } from '../operations/restore-in-place.js';
import { shownName } from './display.js';
import { findingCounts, findingLine } from './findings-view.js';
import { counted, formatBytes, formatDuration } from './format.js';
import type { JsonLine } from './json-lines.js';
import type { RestoreSummary } from './json-lines/restore.js';
import type { RunEnd } from './json-lines/run.js';
import type { SourceLine } from './json-lines/source.js';
import type { Look } from './look.js';
import type { View } from './output.js';
import { factLines, proseLines, type Fact } from './prose.js';
import { asideFields, asideText } from './restore-aside-view.js';
import { inArchiveOrder, inPlacePlanText, type PlanPurpose } from './restore-plan-view.js';
import { recordedSourceLine } from './sources-view.js';

/** `again`: how the user calls bkp for this instance. */
export function inPlacePlanView(plan: InPlacePlan, again: string, purpose: PlanPurpose, end: RunEnd): View {
  return {
    findings: plan.findings,
    allFindings: allFindings(again),
    isAnswer: purpose !== 'announcement',
    beforeQuestion: purpose !== 'dry-run',
    text: (look) => inPlacePlanText(plan, purpose, look),
    json: () => lines(plan, plan.findings, undefined, end),
  };
}

export interface RestoredInPlace {
  readonly plan: InPlacePlan;
  readonly result: InPlaceResult;
  readonly again: string;
  /** What is added so that an encrypted backup opens: ` --passphrase-file key`, or nothing. */
  readonly unlocking: string;
  /** The plan was shown before, with its findings. */
  readonly shown: boolean;
}

export function inPlaceView(restored: RestoredInPlace, end: RunEnd): View {
  const { plan, result, again, shown } = restored;
  const told = new Set(shown ? plan.findings : []);
  return {
    findings: result.findings.filter((one) => !told.has(one)),
    allFindings: allFindings(again),
    isAnswer: false,
    text: (look) => resultText(restored, look),
    json: () => lines(plan, result.findings, result, end),
  };
}

const allFindings = (again: string): string => `--json, or \`${again} show\``;

function* resultText({ plan, result, again, unlocking }: RestoredInPlace, look: Look): Iterable<string> {
  const { chalk } = look;
  const { files, bytes, databases, safety, findings, milliseconds } = result;
  const losses = ofKind(findings, 'loss').length;
  const whole =
    losses === 0
      ? chalk.green('restored')
      : chalk.yellow.bold(`restored, but INCOMPLETE (${counted(losses, 'loss', 'losses')})`);
  const proof = isProven(plan)
    ? 'every file was compared with its SHA-256'
    : 'nothing could be proven: it holds no checksums';
  yield* proseLines(`${chalk.bold(shownName(plan.id))} is ${whole}; ${proof}.`, look, { hang: 2 });
  const before =
    safety === undefined ? 'none' : `${safety.id}${safety.complete ? '' : ' (incomplete: the rest is kept aside)'}`;
  const facts: readonly Fact[] = [
    ['in', shownName(plan.root), 'whole'],
    ['sources', selectedNames(plan).map(shownName).join(', ')],
    ['holds', `${counted(files, 'file')} (${formatBytes(bytes)})`],
    ['checked', databases === 0 ? undefined : counted(databases, 'database')],
    ['safety backup', before],
    ['lies in', safety === undefined ? undefined : shownName(safety.file), 'whole'],
    [
      'locked',
      safety?.locked === true ? 'as the first of its kind: kept until `bkp unlock` and `bkp delete`' : undefined,
    ],
    ['to undo it', safety === undefined ? undefined : shownName(`${again} restore --undo${unlocking}`), 'whole'],
    ['took', formatDuration(milliseconds)],
  ];
  yield* factLines(facts, look);
  yield* asideText(result, look);
}

const selectedNames = (plan: InPlacePlan): readonly string[] => {
  const names = plan.units.map(({ source }) => source.name);
  return inArchiveOrder(plan, names, (name) => name);
};

const isProven = ({ opened }: InPlacePlan): boolean => opened.claims.sums !== undefined;

function* lines(
  plan: InPlacePlan,
  findings: readonly Finding[],
  result: InPlaceResult | undefined,
  end: RunEnd,
): Iterable<JsonLine> {
  for (const name of plan.manifest.includes) yield sourceLine(name, plan);
  for (const finding of findings) yield findingLine(finding, plan.file.location);
  yield summary(plan, findings, result, end);
}

function sourceLine(name: string, { manifest, units }: InPlacePlan): SourceLine {
  const recorded = manifest.sources?.find((source) => source.name === name);
  const unit = units.find(({ source }) => source.name === name);
  const facts = recorded === undefined ? unknownSource(name) : recordedSourceLine(recorded);
  return { ...facts, place: unit?.live ?? null, selected: unit !== undefined };
}

/** Of a backup that another tool made: its manifest need not describe its sources. */
const unknownSource = (name: string): SourceLine => ({
  type: 'source',
  name,
  sourceType: null,
  scope: null,
  path: null,
  place: null,
  selected: false,
  files: null,
  bytes: null,
  database: null,
  liveDatabases: [],
});

function summary(
  plan: InPlacePlan,
  findings: readonly Finding[],
  result: InPlaceResult | undefined,
  end: RunEnd,
): RestoreSummary {
  return {
    type: 'summary',
    command: 'restore',
    id: plan.id,
    file: plan.file.location,
    sha256: plan.sha256,
    complete: !hasLoss(findings),
    verified: result === undefined ? null : isProven(plan),
    ...end,
    dryRun: result === undefined,
    inPlace: true,
    outcome: result === undefined ? null : 'restored',
    target: plan.root,
    sources: selectedNames(plan),
    changes: inArchiveOrder(plan, plan.changes, ({ name }) => name).map(
      ({ name, live, added, changed, replaced, removed, kept }) => ({
        source: name,
        path: live,
        added: added.length,
        changed: changed.length + replaced.length,
        replaced: replaced.length,
        removed: removed.length,
        kept: kept.length,
      }),
    ),
    space: plan.space.map(({ folder, needs, safety, free }) => ({ folder, needs: needs ?? null, safety, free })),
    inUse: plan.inUse.map(({ path, pid, command }) => ({ path, pid, command })),
    schedules: schedulesField(plan),
    safety: safetyField(result),
    ...asideFields(result ?? { kept: [], unexpected: [] }),
    counts: {
      files: result?.files ?? null,
      directories: null,
      links: null,
      bytes: result?.bytes ?? plan.bytes ?? null,
      databases: result?.databases ?? null,
      ...findingCounts(findings),
    },
  };
}

function schedulesField({ schedules }: InPlacePlan): RestoreSummary['schedules'] {
  if (schedules === undefined) return null;
  if (schedules.kind === 'unknown') return { known: false, added: [], changed: [], removed: [] };
  const { added, changed, removed } = schedules;
  return { known: true, added, changed, removed };
}

function safetyField(result: InPlaceResult | undefined): RestoreSummary['safety'] {
  if (result?.safety === undefined) return null;
  const { id, file, complete } = result.safety;
  return { id, file, complete };
}
