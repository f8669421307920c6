import type { ArchiveReader } from '../archive/archive.js';
import { commentFault, parseArchiveComment } from '../manifest/archive-comment.js';
import { finding, type Finding } from '../manifest/findings.js';
import type { Claims } from '../manifest/ledger.js';
import { parseSideFile } from '../manifest/side-file.js';

export interface ContainerProof {
  readonly findings: readonly Finding[];
  /** Of the archive as a file, lower-case hexadecimal. */
  readonly sha256: string;
}

/** Reads all bytes of an archive once: against the `.sha256` beside it, and its body against the manifest. */
export async function proveContainer(
  reader: ArchiveReader,
  claims: Claims,
  sideText: string | undefined,
  advance: (bytes: number) => void,
  signal: AbortSignal,
): Promise<ContainerProof> {
  const { sha256, bodyHash } = await reader.proveBytes(advance, signal);
  const body = bodyFindings(claims, bodyHash);
  // What is altered as a whole has another comment too.
  const findings = [
    ...sideFindings(sideText, sha256),
    ...(body.length > 0 ? body : await commentFindings(reader, claims)),
  ];
  return { findings, sha256 };
}

export function sideFindings(sideText: string | undefined, sha256: string): Finding[] {
  if (sideText === undefined) return [];
  const expected = parseSideFile(sideText);
  if (expected === undefined) return [finding('side-file-invalid', 'it is not a line of sha256sum')];
  if (expected === sha256) return [];
  return [finding('archive-checksum-mismatch', `expected SHA-256 ${expected}, found ${sha256}`)];
}

/** Without the passphrase an encrypted archive is known by its comment, which nothing proves but the manifest inside. */
async function commentFindings(reader: ArchiveReader, { manifest, repacked }: Claims): Promise<Finding[]> {
  if (repacked || manifest.bodyHash === undefined || (await reader.encryption()) === 'none') return [];
  const fault = commentFault(parseArchiveComment(reader.comment), manifest);
  return fault === undefined ? [] : [finding('container-altered', fault)];
}

function bodyFindings({ manifest, repacked }: Claims, found: string | undefined): Finding[] {
  const expected = manifest.bodyHash;
  if (expected === undefined || expected === found) return [];
  if (repacked) {
    return [finding('container-repacked', 'names, modes and times are what the other tool wrote; contents are proven')];
  }
  const message =
    found === undefined
      ? 'it is not laid out as bkp wrote it: remade by another tool? (--allow-repacked proves the contents alone)'
      : `expected body hash ${expected}, found ${found}`;
  return [finding('container-altered', message)];
}
