import type { FindingId, FindingKind } from '../../manifest/findings.js';

export interface FindingLine {
  readonly type: 'finding';
  readonly file: string | null;
  readonly kind: FindingKind;
  readonly id: FindingId;
  readonly title: string;
  readonly source: string | null;
  readonly path: string | null;
  readonly message: string;
}
