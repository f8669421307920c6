import { counted } from '../base/amounts.js';
import type { ArchiveProof } from '../archive/archive.js';
import type { KeptKeys } from '../archive/kept-keys.js';
import type { ByteSource } from '../base/byte-source.js';
import { withCleanup } from '../base/cleanup.js';
import { together } from '../base/together.js';
import { BkpError } from '../base/errors.js';
import type { CompressPool } from '../compress/pool.js';
import { hasDamage, ofKind, type Finding } from '../manifest/findings.js';
import type { ProvenBefore } from './reuse/archived-files.js';
import { proveBlocks } from './reuse/prove-blocks.js';
import type { OpenDestination } from './backup-destination.js';
import type { CreateRequest } from './create-request.js';
import type { Deps } from './deps.js';
import { openBackup } from './open-backup.js';
import { proveContainer } from './prove-container.js';
import { proveContents } from './prove-contents.js';
import { sideFileText } from '../manifest/side-file.js';

interface ReadBack {
  readonly request: CreateRequest;
  readonly target: OpenDestination;
  /** What was written. */
  readonly proof: ArchiveProof;
  readonly pool: CompressPool;
  /** Those it was encrypted with. */
  readonly keys: KeptKeys;
  readonly proven: ProvenBefore;
  readonly deps: Deps;
}

/** Reads the written archive as a stranger would, before it gets its name. Rejects with `read-back-failed`. */
export function readBack({ request, target, proof, pool, keys, proven, deps }: ReadBack): Promise<void> {
  const { encryption, quickCheck: quick } = request;
  return withCleanup(async (cleanup) => {
    const unlocking =
      encryption === undefined ? {} : { passphrase: () => Promise.resolve(encryption.passphrase), keys };
    const options = { pool, repacked: false, signal: deps.signal, ...unlocking };
    const source = await target.partial.open();
    const opened = await openBackup(source, options);
    if (opened.kind === 'damaged') throw readBackFailed(target, opened.findings);
    const { reader, claims } = opened;
    cleanup.defer(() => reader.close());
    const totals = claims.manifest.totals;
    deps.progress.start('read-back', proof.bytes + (quick ? 0 : (totals?.bytes ?? 0)));
    const side = sideFileText(proof.sha256, target.name);
    const advance = (bytes: number, path?: string): void => deps.progress.advance(bytes, path);
    const proving = { signal: deps.signal, advance, stopAtDamage: true };
    const [container, contents] = await together([
      proveContainer(reader, claims, side, advance, deps.signal),
      quick ? undefined : proveContents(reader, claims, { ...proving, proven: proven.inOrder, passBy: proven.passBy }),
    ]);
    const partly = quick ? [] : await partlyProven(source, pool, proven);
    const findings = [...opened.findings, ...container.findings, ...(contents?.findings ?? []), ...partly];
    if (hasDamage(findings)) throw readBackFailed(target, findings);
    expectCount(target, contents?.files, totals?.files);
    deps.step(
      'read-back',
      quick ? 'read back all bytes' : `compared ${counted(totals?.files ?? 0, 'file')} with what was read`,
    );
  });
}

async function partlyProven(
  archive: ByteSource,
  pool: CompressPool,
  { partly }: ProvenBefore,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const one of partly) {
    const fault = await proveBlocks(archive, pool, one);
    if (fault !== undefined) findings.push(fault);
  }
  return findings;
}

const hint = 'Nothing was kept. Try again; if it happens again, suspect memory or disk of this machine.';

function readBackFailed({ file }: OpenDestination, findings: readonly Finding[]): BkpError {
  const [first] = ofKind(findings, 'damage');
  const what =
    first === undefined ? 'it is not what was written' : `${first.path ?? ''} ${first.message} (${first.id})`.trim();
  return new BkpError('read-back-failed', `the new archive ${file} failed its proof: ${what}`, { hint, path: file });
}

/** `found` undefined: they were not counted. */
function expectCount({ file }: OpenDestination, found: number | undefined, expected: number | undefined): void {
  if (found === undefined || found === expected) return;
  throw new BkpError('read-back-failed', `the new archive ${file} holds ${found} files instead of ${expected ?? 0}`, {
    hint,
    path: file,
  });
}
