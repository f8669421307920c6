import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import { hasLoss, type Finding } from '../manifest/findings.js';

/** What the archive lacks, the restore lacks. */
export const restoreExit = (findings: readonly Finding[]): ExitCode =>
  hasLoss(findings) ? exitCodes.incomplete : exitCodes.done;
