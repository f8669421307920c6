import type { ArchiveReader, Container, EntryHeader } from '../archive/archive.js';
import { withCleanup } from '../base/cleanup.js';
import { BkpError } from '../base/errors.js';
import type { AskPassphrase } from '../base/passphrase.js';
import type { Finding } from '../manifest/findings.js';
import type { FoundManifest } from '../manifest/manifest.js';
import { parseSideFile } from '../manifest/side-file.js';
import type { BackupFile } from './backup-file.js';
import { openPool, type Deps } from './deps.js';
import { openBackup } from './open-backup.js';
import { plainFinding } from './prove-contents.js';

export interface ShowResult {
  readonly file: string;
  readonly container: Container;
  readonly bytes: number;
  readonly manifest: FoundManifest;
  /** As the file beside it says; undefined where there is none. */
  readonly sha256: string | undefined;
  readonly findings: readonly Finding[];
  /** Every entry, in archive order; undefined unless asked for. */
  readonly entries: readonly EntryHeader[] | undefined;
}

export interface ShowRequest {
  readonly file: BackupFile;
  readonly withEntries: boolean;
  /** For an encrypted one: what it says of itself is encrypted too. */
  readonly passphrase?: AskPassphrase | undefined;
}

/** What a backup says of itself. Proves nothing but that it can be read: that is `verifyBackup`'s. */
export function showBackup({ file, withEntries, passphrase }: ShowRequest, deps: Deps): Promise<ShowResult> {
  return withCleanup(async (cleanup) => {
    const pool = openPool(deps, cleanup);
    const side = await file.readSide();
    const opened = await openBackup(await file.open(), { pool, repacked: true, signal: deps.signal, passphrase });
    if (opened.kind === 'damaged') {
      const reasons = opened.findings.map(plainFinding).join('; ');
      throw new BkpError('archive-damaged', `${file.location} cannot be read: ${reasons}`, {
        path: file.location,
        hint: '`bkp list` shows the other backups.',
      });
    }
    const { reader, claims } = opened;
    cleanup.defer(() => reader.close());
    return {
      file: file.location,
      container: reader.container,
      bytes: reader.bytes,
      manifest: claims.manifest,
      sha256: side === undefined ? undefined : parseSideFile(side),
      findings: [...opened.findings, ...(claims.manifest.findings ?? [])],
      entries: withEntries ? await listEntries(reader, deps.signal) : undefined,
    };
  });
}

async function listEntries(reader: ArchiveReader, signal: AbortSignal): Promise<EntryHeader[]> {
  const headers: EntryHeader[] = [];
  for await (const { header } of reader.decode({ want: () => 'nothing', signal })) headers.push(header);
  return headers;
}
