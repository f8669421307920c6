import type { Verdict as CheckVerdict } from '../../operations/doctor/check.js';
import type { SummaryBase } from './run.js';

export interface CheckLine {
  readonly type: 'check';
  readonly id: string;
  readonly verdict: CheckVerdict;
  readonly message: string;
  readonly hint: string | null;
  readonly path: string | null;
}

export interface DoctorSummary extends SummaryBase {
  readonly command: 'doctor';
  readonly instance: string | null;
  readonly root: string | null;
  readonly storage: string | null;
  readonly verdict: CheckVerdict;
  readonly counts: { readonly ok: number; readonly warn: number; readonly fail: number };
}
