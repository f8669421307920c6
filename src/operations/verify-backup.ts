import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { EntryHeader } from '../archive/archive.js';
import { withCleanup, type Cleanup } from '../base/cleanup.js';
import { ioError } from '../base/errors.js';
import { together } from '../base/together.js';
import type { AskPassphrase } from '../base/passphrase.js';
import { createStaging, removeDeadStaging } from '../fs/staging.js';
import { hasDamage, hasLoss, type Finding } from '../manifest/findings.js';
import type { FoundManifest } from '../manifest/manifest.js';
import type { BackupFile } from './backup-file.js';
import { checkDatabase, databaseEntries, databaseFile } from './check-databases.js';
import { openPool, openSqlite, type Deps } from './deps.js';
import { openBackupFile } from './open-backup.js';
import { proveContainer } from './prove-container.js';
import { onlyProving, proveContents, type Visitor } from './prove-contents.js';

export interface VerifyRequest {
  readonly file: BackupFile;
  /** Container, names and proofs, but no content. */
  readonly quick: boolean;
  /** The container may have been remade by another tool. */
  readonly allowRepacked: boolean;
  /** For an encrypted one. */
  readonly passphrase?: AskPassphrase | undefined;
}

export type Verdict = 'intact' | 'incomplete' | 'damaged';

export interface VerifyResult {
  readonly file: string;
  readonly verdict: Verdict;
  /** Undefined where it cannot be read. */
  readonly manifest: FoundManifest | undefined;
  /** What is wrong now, and what the manifest says was wrong when it was made. */
  readonly findings: readonly Finding[];
  /** Files compared with their SHA-256. */
  readonly files: number;
  readonly bytes: number;
  /** Databases whose integrity was checked. */
  readonly databases: number;
  readonly sha256: string | undefined;
}

/** Proves one backup. Damage is the result's, not an error; rejects where the archive cannot be had at all. */
export function verifyBackup(request: VerifyRequest, deps: Deps): Promise<VerifyResult> {
  return withCleanup(async (cleanup) => {
    const { file, quick, allowRepacked, passphrase } = request;
    const pool = openPool(deps, cleanup);
    const { signal } = deps;
    const { opened, side } = await openBackupFile(file, { pool, repacked: allowRepacked, signal, passphrase });
    const none = { file: file.location, files: 0, bytes: 0, databases: 0, sha256: undefined, manifest: undefined };
    if (opened.kind === 'damaged') return { ...none, verdict: 'damaged', findings: opened.findings };
    const { reader, claims } = opened;
    cleanup.defer(() => reader.close());
    const { manifest } = claims;
    deps.progress.start('verify', reader.bytes + (quick ? 0 : (manifest.totals?.bytes ?? 0)));
    const advance = (bytes: number, path?: string): void => deps.progress.advance(bytes, path);
    const databases = quick ? undefined : await openDatabaseCheck(manifest, deps, cleanup);
    const visitor = databases?.visitor ?? onlyProving;
    const [container, contents] = await together([
      proveContainer(reader, claims, side, advance, signal),
      proveContents(reader, claims, { signal, advance, visitor, withoutContent: quick }),
    ]);
    const checks = (await databases?.finish()) ?? [];
    const now = [...opened.findings, ...container.findings, ...contents.findings, ...checks];
    // What was wrong when it was made is told too: an intact archive may lack something.
    const findings = [...now, ...(manifest.findings ?? [])];
    const complete = manifest.complete !== false && !hasLoss(findings);
    const verdict = hasDamage(now) ? 'damaged' : complete ? 'intact' : 'incomplete';
    const { files, bytes } = contents;
    const checked = databases?.checked() ?? 0;
    return {
      file: file.location,
      verdict,
      manifest,
      findings,
      files,
      bytes,
      databases: checked,
      sha256: container.sha256,
    };
  });
}

interface DatabaseCheck {
  readonly visitor: Visitor;
  /** Waits for the last check. */
  finish(): Promise<readonly Finding[]>;
  checked(): number;
}

const stagingPrefix = 'bkp-verify-';

/** Takes databases out of the archive, into a private temporary folder, and asks SQLite. */
async function openDatabaseCheck(
  manifest: FoundManifest,
  deps: Deps,
  cleanup: Cleanup,
): Promise<DatabaseCheck | undefined> {
  const entries = databaseEntries(manifest);
  if (entries.size === 0) return undefined;
  // Those of killed verifications hold whole databases.
  await removeDeadStaging(deps.temporaryFolder, deps.clock, stagingPrefix);
  const name = `${stagingPrefix}${randomBytes(6).toString('hex')}`;
  const staging = await createStaging(deps.temporaryFolder, name, deps.clock);
  cleanup.defer(() => staging.close());
  const child = openSqlite(deps, cleanup);
  child.start();
  const findings: Finding[] = [];
  let checked = 0;
  let last = Promise.resolve();
  const check = async (path: string, header: EntryHeader): Promise<void> => {
    findings.push(...(await checkDatabase(child, path, header)));
    rmSync(path, { force: true });
  };
  const file = async (header: EntryHeader, content: AsyncIterable<Buffer>): Promise<void> => {
    const path = databaseFile(staging.path, checked);
    checked += 1;
    await writeTemporary(path, content);
    // The archive is read on meanwhile, but never are more than two databases there.
    await last;
    last = check(path, header);
    last.catch(() => undefined);
  };
  const finish = async (): Promise<readonly Finding[]> => {
    await last;
    return findings;
  };
  const visitor = { ...onlyProving, wants: ({ path }: EntryHeader) => entries.has(path), file };
  return { visitor, finish, checked: () => checked };
}

async function writeTemporary(path: string, content: AsyncIterable<Buffer>): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'wx', 0o600);
    for await (const chunk of content) await handle.writeFile(chunk);
  } catch (error) {
    throw error instanceof Error && error.name === 'ArchiveDamage' ? error : ioError('writing', path, error);
  } finally {
    await handle?.close();
  }
}
