import type { ArchiveProof } from '../archive/archive.js';
import { withCleanup } from '../base/cleanup.js';
import { BkpError } from '../base/errors.js';
import type { CompressPool } from '../compress/pool.js';
import { hasDamage, ofKind, type Finding } from '../manifest/findings.js';
import type { OpenDestination } from './backup-destination.js';
import type { Deps } from './deps.js';
import { openBackup } from './open-backup.js';
import { proveContainer } from './prove-container.js';
import { proveContents } from './prove-contents.js';
import { sideFileText } from '../manifest/side-file.js';

interface ReadBack {
  readonly target: OpenDestination;
  /** What was written. */
  readonly proof: ArchiveProof;
  readonly pool: CompressPool;
  readonly deps: Deps;
  /** The bytes alone. */
  readonly quick: boolean;
}

/** Reads the written archive as a stranger would, before it gets its name. Rejects with `read-back-failed`. */
export function readBack({ target, proof, pool, deps, quick }: ReadBack): Promise<void> {
  return withCleanup(async (cleanup) => {
    const opened = await openBackup(await target.partial.open(), pool, false, deps.signal);
    if (opened.kind === 'damaged') throw readBackFailed(target, opened.findings);
    const { reader, claims } = opened;
    cleanup.defer(() => reader.close());
    const totals = claims.manifest.totals;
    deps.progress.start('read-back', proof.bytes + (quick ? 0 : (totals?.bytes ?? 0)));
    const side = sideFileText(proof.sha256, target.name);
    const advance = (bytes: number, path?: string): void => deps.progress.advance(bytes, path);
    const container = await proveContainer(reader, claims, side, advance, deps.signal);
    const findings = [...opened.findings, ...container.findings];
    if (!quick) {
      const contents = await proveContents(reader, claims, { signal: deps.signal, advance, stopAtDamage: true });
      findings.push(...contents.findings);
      if (contents.files !== totals?.files && !hasDamage(findings))
        throw countDiffers(target, contents.files, totals?.files);
    }
    if (hasDamage(findings)) throw readBackFailed(target, findings);
    deps.step('read-back', quick ? 'read back all bytes' : `decoded and compared ${totals?.files ?? 0} files`);
  });
}

const hint = 'Nothing was kept. Try again; if it happens again, suspect memory or disk of this machine.';

function readBackFailed({ file }: OpenDestination, findings: readonly Finding[]): BkpError {
  const [first] = ofKind(findings, 'damage');
  const what =
    first === undefined ? 'it is not what was written' : `${first.path ?? ''} ${first.message} (${first.id})`.trim();
  return new BkpError('read-back-failed', `the new archive ${file} failed its proof: ${what}`, { hint, path: file });
}

const countDiffers = ({ file }: OpenDestination, found: number, expected: number | undefined): BkpError =>
  new BkpError('read-back-failed', `the new archive ${file} holds ${found} files instead of ${expected ?? 0}`, {
    hint,
    path: file,
  });
