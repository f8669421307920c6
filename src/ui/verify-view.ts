import type { BkpError } from '../base/errors.js';
import { hasDamage, ofKind } from '../manifest/findings.js';
import type { VerifyResult } from '../operations/verify-backup.js';
import { shownName, shownText } from './display.js';
import { findingLine } from './findings-view.js';
import { counted, formatBytes } from './format.js';
import type { RunEnd } from './json-lines/run.js';
import type { VerifiedLine, VerifySummary } from './json-lines/verify.js';
import type { Look } from './look.js';
import { proseLines } from './prose.js';
import type { View } from './output.js';

/** What became of one backup that was to be verified. */
export type Verified =
  | { readonly kind: 'result'; readonly id: string; readonly exitCode: number; readonly result: VerifyResult }
  | { readonly kind: 'failed'; readonly id: string; readonly file: string; readonly error: BkpError };

export interface VerifiedSoFar {
  readonly quick: boolean;
  /** How the user calls bkp for this instance. */
  readonly again: string;
  /** Those told before: what was advised then is not repeated. */
  readonly before: readonly Verified[];
}

/** One of them, told as soon as it is done. */
export function verifiedView(verified: Verified, { quick, again, before }: VerifiedSoFar): View {
  const findings = verified.kind === 'result' ? verified.result.findings : [];
  const file = verified.kind === 'result' ? verified.result.file : verified.file;
  const advised = new Set(before.flatMap(adviceOf));
  return {
    findings,
    allFindings: `\`${again} verify --json\``,
    isAnswer: false,
    text: (look) =>
      verified.kind === 'result' ? resultText(verified.result, quick, look) : failedText(verified, advised, look),
    *json() {
      for (const finding of findings) yield findingLine(finding, file);
    },
  };
}

function* resultText(result: VerifyResult, quick: boolean, look: Look): Iterable<string> {
  const { file, files, bytes, databases } = result;
  const unproven = result.findings.some(({ id }) => id === 'no-checksums');
  const looked = unproven
    ? `${counted(files, 'file')} (${formatBytes(bytes)}) can be decoded; nothing proves them: it has no SHA256SUMS`
    : quick
      ? 'the container and its checksums were proven, its files were not looked at (--quick)'
      : `${counted(files, 'file')} (${formatBytes(bytes)}) and ${counted(databases, 'database')} proven`;
  const shown = shownName(file);
  yield* proseLines(`${verdictText(result, look)}  ${shown}: ${looked}`, look, { hang: 2, whole: [shown] });
}

function verdictText({ verdict, findings }: VerifyResult, { chalk }: Look): string {
  switch (verdict) {
    case 'intact':
      return chalk.green('intact');
    case 'incomplete':
      return chalk.yellow.bold(`INCOMPLETE (${counted(ofKind(findings, 'loss').length, 'loss', 'losses')})`);
    case 'damaged':
      return chalk.red.bold(`DAMAGED (${counted(ofKind(findings, 'damage').length, 'finding')})`);
  }
}

/** Line by line: the hint of an archive may be its own, what to pass is the same for all. */
const adviceOf = (verified: Verified): readonly string[] =>
  verified.kind === 'failed' ? (verified.error.hint?.split('\n') ?? []) : [];

function* failedText(
  verified: Extract<Verified, { kind: 'failed' }>,
  advised: ReadonlySet<string>,
  look: Look,
): Iterable<string> {
  const { file, error } = verified;
  const shown = shownName(file);
  const failed = look.chalk.red.bold('FAILED (not verified)');
  yield* proseLines(`${failed}  ${shown}: ${shownText(error.message)}`, look, { hang: 2, whole: [shown] });
  for (const line of adviceOf(verified)) if (!advised.has(line)) yield* proseLines(`  ${shownName(line)}`, look);
}

/** All of them together. `leftOut`: backups of other instances that `--all` did not look at. */
export function verifySummaryView(all: readonly Verified[], quick: boolean, leftOut: number, end: RunEnd): View {
  const backups = all.map((verified) => verifiedLine(verified, quick));
  const count = (verdict: VerifiedLine['verdict']): number => backups.filter((one) => one.verdict === verdict).length;
  const counts = {
    intact: count('intact'),
    incomplete: count('incomplete'),
    damaged: count('damaged'),
    failed: count('failed'),
  };
  const only = backups.length === 1 ? backups[0] : undefined;
  const summary: VerifySummary = {
    type: 'summary',
    command: 'verify',
    id: only?.id ?? null,
    file: only?.file ?? null,
    sha256: only?.sha256 ?? null,
    complete: backups.some(({ complete }) => complete === null)
      ? null
      : backups.every(({ complete }) => complete === true),
    verified: backups.every(({ verified }) => verified),
    ...end,
    quick,
    backups,
    counts,
  };
  return {
    findings: [],
    allFindings: '',
    isAnswer: false,
    *text(look) {
      if (backups.length > 1) {
        const told = Object.entries(counts).filter(([, number]) => number > 0);
        const verdicts = told.map(
          ([name, number]) => `${number} ${name === 'failed' ? 'failed (not verified)' : name}`,
        );
        yield* proseLines(`${counted(backups.length, 'backup')}: ${verdicts.join(', ')}`, look, { hang: 2 });
      }
      if (leftOut > 0) {
        const text = `${counted(leftOut, 'backup')} of other instances left out (name them to verify them)`;
        yield* proseLines(look.chalk.dim(text), look);
      }
    },
    json: () => [summary],
  };
}

function verifiedLine(verified: Verified, quick: boolean): VerifiedLine {
  if (verified.kind === 'failed') {
    const { id, file, error } = verified;
    const nothing = { sha256: null, complete: null, verified: false, files: 0, bytes: 0, databases: 0 };
    const told = { id: error.id, message: error.message, hint: error.hint ?? null };
    return { id, file, ...nothing, verdict: 'failed', exitCode: error.exitCode, error: told };
  }
  const { id, exitCode, result } = verified;
  const { file, sha256, verdict, manifest, findings, files, bytes, databases } = result;
  const compared = !quick && !hasDamage(findings) && !findings.some((finding) => finding.id === 'no-checksums');
  return {
    id,
    file,
    sha256: sha256 ?? null,
    verdict,
    complete: manifest?.complete ?? null,
    verified: compared,
    files,
    bytes,
    databases,
    exitCode,
    error: null,
  };
}
