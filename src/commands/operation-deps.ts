import { hostname, tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { systemClock } from '../base/clock.js';
import { withoutEnding } from '../policy/backup-name.js';
import type { BackupFile } from '../operations/backup-file.js';
import type { Deps } from '../operations/deps.js';
import type { CommandDeps } from './job.js';
import { readVersion } from './version.js';

export function operationDeps({ cwd, signal, output, kept }: CommandDeps): Deps {
  return {
    clock: systemClock,
    progress: output.progress,
    signal,
    temporaryFolder: resolve(cwd, tmpdir()),
    host: hostname(),
    version: readVersion(),
    step: (id, message) => output.step(id, message),
    ...kept,
  };
}

/** What a backup is called: the manifest's id, else its file's name. */
export const backupId = ({ name }: BackupFile, id: string | undefined): string => id ?? withoutEnding(name);
