import { worst, type Checked } from '../operations/check-surroundings.js';
import type { Verdict } from '../operations/doctor/check.js';
import { shownName } from './display.js';
import { counted } from './format.js';
import type { CheckLine, DoctorSummary } from './json-lines/doctor.js';
import type { RunEnd } from './json-lines/run.js';
import type { Look } from './look.js';
import type { View } from './output.js';
import { itemLines, proseLines } from './prose.js';

/** What was looked at. */
export interface Examined {
  readonly checked: readonly Checked[];
  /** Undefined where none could be told. */
  readonly instance: { readonly instance: string; readonly root: string; readonly storage: string } | undefined;
}

export function doctorView(examined: Examined, end: RunEnd): View {
  return {
    findings: [],
    allFindings: '',
    isAnswer: true,
    text: (look) => doctorText(examined.checked, look),
    *json() {
      yield* examined.checked.map(checkLine);
      yield summary(examined, end);
    },
  };
}

/** With `-q`: only what is wrong. */
function* doctorText(checked: readonly Checked[], look: Look): Iterable<string> {
  const width = Math.max(0, ...checked.map(({ id }) => id.length));
  const told = checked.filter(({ verdict }) => !look.quiet || verdict !== 'ok');
  for (const [at, { id, verdict, message, hint }] of told.entries()) {
    const [first = '', ...more] = message.split('\n');
    const column = 'ok  '.length + 2 + width + 2;
    const tell = (label: string, text: string): readonly string[] => itemLines(label, text, column, look);
    yield* tell(`${word(verdict, look)}  ${id}`, shownName(first));
    for (const line of more) yield* tell('', shownName(line));
    // Once below several of a kind.
    if (hint !== undefined && hint !== told[at + 1]?.hint) yield* tell('', look.chalk.dim(shownName(hint)));
  }
  const { ok, warn, fail } = countsOf(checked);
  if (look.quiet) return;
  yield* proseLines(`${counted(ok, 'check')} fine, ${counted(warn, 'warning')}, ${counted(fail, 'failure')}`, look);
}

function word(verdict: Verdict, { chalk }: Look): string {
  switch (verdict) {
    case 'ok':
      return chalk.green('ok  ');
    case 'warn':
      return chalk.yellow('warn');
    case 'fail':
      return chalk.red.bold('FAIL');
  }
}

function checkLine({ id, verdict, message, hint, path }: Checked): CheckLine {
  return { type: 'check', id, verdict, message, hint: hint ?? null, path: path ?? null };
}

function countsOf(checked: readonly Checked[]): DoctorSummary['counts'] {
  const count = (wanted: Verdict): number => checked.filter(({ verdict }) => verdict === wanted).length;
  return { ok: count('ok'), warn: count('warn'), fail: count('fail') };
}

function summary({ checked, instance }: Examined, end: RunEnd): DoctorSummary {
  return {
    type: 'summary',
    command: 'doctor',
    id: null,
    file: null,
    sha256: null,
    complete: null,
    verified: null,
    ...end,
    instance: instance?.instance ?? null,
    root: instance?.root ?? null,
    storage: instance?.storage ?? null,
    verdict: worst(checked),
    counts: countsOf(checked),
  };
}
