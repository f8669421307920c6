import { exitCodes } from '../base/exit-codes.js';
import { never } from '../base/errors.js';
import type { ExitCode } from '../base/exit-codes.js';
import type { Catalog } from '../catalog/catalog.js';
import type { Deps } from './deps.js';
import { recordedRun } from './recorded-run.js';
import { verifyBackup, type Verdict, type VerifyRequest, type VerifyResult } from './verify-backup.js';

export interface VerifyRecord {
  readonly catalog: Catalog | undefined;
  readonly instance: string | undefined;
}

/**
 * Proves a backup of the storage, and remembers what came out. A quick look is remembered only where it found damage: it does
 * not prove the content.
 */
export async function recordedVerify(
  request: VerifyRequest,
  { catalog, instance }: VerifyRecord,
  deps: Deps,
): Promise<VerifyResult> {
  const beginning = { kind: 'verify', ...(instance === undefined ? {} : { instance }) } as const;
  const work = (own: Deps): Promise<VerifyResult> => verifyBackup(request, own);
  const result = await recordedRun(catalog, beginning, deps, work, ({ verdict, manifest, files, findings }) => ({
    exitCode: verdictExit(verdict),
    files,
    findings,
    ...(manifest?.id === undefined ? {} : { backup: manifest.id }),
  }));
  const { verdict, sha256 } = result;
  if (!request.quick || verdict === 'damaged') {
    catalog?.recordVerification({ archive: request.file.name, sha256, at: deps.clock.now(), verdict });
  }
  return result;
}

/** What a verification ends with. */
export function verdictExit(verdict: Verdict): ExitCode {
  switch (verdict) {
    case 'intact':
      return exitCodes.done;
    case 'incomplete':
      return exitCodes.incomplete;
    case 'damaged':
      return exitCodes.damaged;
    default:
      return never(verdict);
  }
}
