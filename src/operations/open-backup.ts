import type { ArchiveReader } from '../archive/archive.js';
import type { KeptKeys } from '../archive/kept-keys.js';
import { openArchive } from '../archive/open-archive.js';
import type { ByteSource } from '../base/byte-source.js';
import { ArchiveDamage } from '../base/damage.js';
import { BkpError } from '../base/errors.js';
import type { AskPassphrase, Passphrase } from '../base/passphrase.js';
import type { CompressPool } from '../compress/pool.js';
import { createHash } from 'node:crypto';
import { SumsFault } from '../manifest/checksums.js';
import { finding, type Finding } from '../manifest/findings.js';
import type { Claims } from '../manifest/ledger.js';
import { ListedSums, scanSums, type ScannedSums } from '../manifest/listed-sums.js';
import type { FoundManifest } from '../manifest/manifest.js';
import { parseManifest } from '../manifest/parse.js';
import type { BackupFile } from './backup-file.js';
import { sideFindings } from './prove-container.js';
import { damageFinding } from './prove-contents.js';
import { unlockArchive } from './unlock-archive.js';

/** A backup's archive, opened, with what it says of itself; or why that cannot be had. */
export type Opened =
  | {
      readonly kind: 'opened';
      readonly reader: ArchiveReader;
      readonly claims: Claims;
      /** What opened it; undefined where it is not encrypted. */
      readonly passphrase: Passphrase | undefined;
      readonly findings: readonly Finding[];
    }
  | { readonly kind: 'damaged'; readonly findings: readonly Finding[] };

export const newerFormat = (name: string, version: string): BkpError =>
  new BkpError('format-newer', `${name} has format ${version}, which this version of bkp does not know`, {
    hint: 'Use the version of bkp that made it, or a newer one. `unzip` or `tar` open it as well.',
    path: name,
  });

export interface OpenOptions {
  readonly pool: CompressPool;
  readonly repacked: boolean;
  readonly signal: AbortSignal;
  /** Asked once, and only for an encrypted archive. What it gives is used until the opened reader is closed. */
  readonly passphrase?: AskPassphrase | undefined;
  /** Keys known from writing the archive. */
  readonly keys?: KeptKeys;
}

/**
 * Opens an archive and reads what proves it: manifest.json and SHA256SUMS, the one against the other. Takes the source
 * over. Rejects with `format-newer`, `encryption-unsupported`, `passphrase-missing` or `passphrase-wrong`; damage is a result.
 */
export async function openBackup(source: ByteSource, options: OpenOptions): Promise<Opened> {
  const { pool, repacked, signal } = options;
  let reader: ArchiveReader | undefined;
  try {
    reader = await openArchive(source, pool, { dropDotSlash: repacked, signal });
    const passphrase = await unlockArchive(reader, source.name, options);
    const tail = await reader.readTail();
    const scanned = tail.sums === undefined ? undefined : await scanSums(tail.sums);
    const manifest = readManifest(tail.manifest, source.name);
    if (Array.isArray(manifest)) return await closed(reader, manifest);
    const checked = await checkSums(manifest, scanned);
    if (checked.kind === 'damaged') return await closed(reader, checked.findings);
    const claims = { manifest, sums: checked.sums, repacked };
    return { kind: 'opened', reader, claims, passphrase, findings: checked.findings };
  } catch (error) {
    await (reader ?? source).close();
    if (error instanceof ArchiveDamage) return { kind: 'damaged', findings: [damageFinding(error)] };
    throw error;
  }
}

/** A backup's archive, and the text of the `.sha256` beside it. */
export interface OpenedFile {
  readonly opened: Opened;
  readonly side: string | undefined;
}

/** What an archive says of itself. Bytes that are not those that were written may say it too. */
const claimed: ReadonlySet<string> = new Set([
  'format-newer',
  'encryption-unsupported',
  'passphrase-missing',
  'passphrase-wrong',
]);

/** As `openBackup`, but a file that is not the one its `.sha256` was made for is damaged, whatever it says of itself. */
export async function openBackupFile(file: BackupFile, options: OpenOptions): Promise<OpenedFile> {
  const side = await file.readSide();
  const outside = async (): Promise<Finding[]> => sideFindings(side, await fileSum(file, options.signal));
  try {
    const opened = await openBackup(await file.open(), options);
    if (opened.kind === 'opened' || side === undefined) return { opened, side };
    return { opened: { kind: 'damaged', findings: [...(await outside()), ...opened.findings] }, side };
  } catch (error) {
    if (!(error instanceof BkpError) || !claimed.has(error.id) || side === undefined) throw error;
    const findings = await outside();
    if (findings.length === 0) throw error;
    return { opened: { kind: 'damaged', findings }, side };
  }
}

const pieceBytes = 4 * 1024 * 1024;

/** The SHA-256 of a file that no reader can make sense of. */
async function fileSum(file: BackupFile, signal: AbortSignal): Promise<string> {
  const source = await file.open();
  try {
    const hash = createHash('sha256');
    for (let at = 0; at < source.size; at += pieceBytes) {
      signal.throwIfAborted();
      hash.update(await source.read(at, Math.min(pieceBytes, source.size - at)));
    }
    return hash.digest('hex');
  } finally {
    await source.close();
  }
}

async function closed(reader: ArchiveReader, findings: readonly Finding[]): Promise<Opened> {
  await reader.close();
  return { kind: 'damaged', findings: [...findings, ...reader.oddities.map(damageFinding)] };
}

function readManifest(bytes: Buffer | undefined, name: string): FoundManifest | Finding[] {
  if (bytes === undefined) return [finding('manifest-missing', 'the archive has no manifest.json')];
  const parsed = parseManifest(bytes);
  switch (parsed.kind) {
    case 'manifest':
      return parsed.manifest;
    case 'newer':
      throw newerFormat(name, parsed.version);
    case 'invalid':
      return [finding('manifest-invalid', parsed.message, { path: 'manifest.json' })];
  }
}

type CheckedSums =
  | {
      readonly kind: 'sums';
      readonly sums: ListedSums | undefined;
      readonly findings: readonly Finding[];
    }
  | { readonly kind: 'damaged'; readonly findings: readonly Finding[] };

/** A manifest of `bkp` names its SHA256SUMS; one with the first five keys alone may come without. */
async function checkSums(manifest: FoundManifest, scanned: ScannedSums | undefined): Promise<CheckedSums> {
  const about = { path: 'SHA256SUMS' };
  if (scanned === undefined) {
    if (manifest.bodyHash !== undefined || manifest.sources !== undefined) {
      return {
        kind: 'damaged',
        findings: [finding('sums-missing', 'the manifest names it, the archive does not hold it', about)],
      };
    }
    const message = 'the archive has no SHA256SUMS: its files can be decoded, but not compared with what was backed up';
    return { kind: 'sums', sums: undefined, findings: [finding('no-checksums', message)] };
  }
  const found = `sha256:${scanned.sha256}`;
  if (found !== manifest.hash) {
    const message = `expected ${manifest.hash}, found ${found}`;
    return { kind: 'damaged', findings: [finding('sums-mismatch', message, about)] };
  }
  try {
    return { kind: 'sums', sums: await ListedSums.of(scanned), findings: [] };
  } catch (error) {
    if (!(error instanceof SumsFault)) throw error;
    return { kind: 'damaged', findings: [finding('sums-invalid', error.message, about)] };
  }
}
