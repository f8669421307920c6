import { platform } from 'node:process';
import type { ArchiveProof, ArchiveWriter } from '../archive/archive.js';
import { timestamp } from '../base/clock.js';
import { BkpError } from '../base/errors.js';
import { archiveComment } from '../manifest/archive-comment.js';
import { hasLoss } from '../manifest/findings.js';
import { formatVersion, serializeManifest, type Encryption, type Manifest } from '../manifest/manifest.js';
import { parseManifest } from '../manifest/parse.js';
import type { OpenDestination } from './backup-destination.js';
import type { ArchivedContent } from './archive-sources.js';
import type { BackupEncryption, CreateRequest } from './create-request.js';
import type { Deps } from './deps.js';
import type { SumsBuffer } from './sums-buffer.js';

interface Finish {
  readonly request: CreateRequest;
  readonly target: OpenDestination;
  readonly writer: ArchiveWriter;
  readonly sums: SumsBuffer;
  readonly content: ArchivedContent;
  /** Milliseconds since 1970. */
  readonly generatedAt: number;
  readonly deps: Deps;
}

/** Ends an archive with the two files that prove the rest. */
export async function finishArchive(finish: Finish): Promise<{ manifest: Manifest; proof: ArchiveProof }> {
  const { writer, sums, generatedAt } = finish;
  const { bodyHash } = await writer.endBody();
  const { bytes, hash } = await sums.end();
  const manifest = buildManifest(finish, hash, bodyHash);
  const serialized = serializeManifest(manifest);
  const parsed = parseManifest(serialized);
  // What create writes, every reader must accept.
  if (parsed.kind !== 'manifest') {
    const fault = parsed.kind === 'invalid' ? parsed.message : parsed.version;
    throw new BkpError('internal', `the manifest cannot be written: ${fault}`, {
      hint: 'A comment may be too long; where there are too many links or findings, split the sources into several backups.',
    });
  }
  const proof = await writer.finish({
    sums: () => sums.read(),
    sumsBytes: bytes,
    manifest: serialized,
    mtime: BigInt(Math.floor(generatedAt / 1000)) * 1_000_000_000n,
    comment: archiveComment(manifest),
  });
  return { manifest, proof };
}

function described(encryption: BackupEncryption | undefined): Encryption {
  if (encryption === undefined) return { enabled: false };
  const { hint } = encryption;
  return { enabled: true, algorithm: 'AES-256-Zip', ...(hint === undefined ? {} : { hint }) };
}

/** Origins that are no schedule's name. */
const unscheduled: ReadonlySet<string> = new Set(['manual', 'safety']);

function buildManifest(
  { request, target, content, generatedAt, deps }: Finish,
  hash: string,
  bodyHash: string,
): Manifest {
  const { sources, findings, totals } = content;
  return {
    version: formatVersion,
    generatedAt: timestamp(generatedAt),
    includes: sources.map(({ name }) => name),
    hash,
    encryption: described(request.encryption),
    bodyHash,
    id: target.id,
    generator: { name: 'bkp', version: deps.version, node: process.version, platform },
    instance: request.instance,
    root: request.root,
    host: deps.host,
    schedule: unscheduled.has(request.origin) ? null : request.origin,
    project: request.project ?? null,
    comment: request.comment ?? null,
    complete: !hasLoss(findings),
    excludes: [...request.leftOut, ...request.excludes],
    totals,
    sources,
    findings,
  };
}
