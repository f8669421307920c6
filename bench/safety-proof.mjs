import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const dist = join(dirname(fileURLToPath(import.meta.url)), '../dist');

/** What operations get from outside. */
export async function operationDeps() {
  const { systemClock } = await import(`${dist}/base/clock.js`);
  const { silentProgress } = await import(`${dist}/base/progress.js`);
  return {
    ...{ clock: systemClock, progress: silentProgress, signal: new globalThis.AbortController().signal },
    ...{ temporaryFolder: tmpdir(), host: 'test.example', version: '0.0.0-test', step: () => undefined },
  };
}

/** The safety backups in a folder that are not whole, each with what is wrong; one that says that it is incomplete is. */
export async function unsoundSafety(storage) {
  const { verifyBackup } = await import(`${dist}/operations/verify-backup.js`);
  const { fileBackup } = await import(`${dist}/operations/backup-file.js`);
  const deps = await operationDeps();
  const unsound = [];
  for (const name of readdirSync(storage).filter((one) => /-safety\.zip$/.test(one))) {
    const request = { file: fileBackup(join(storage, name)), quick: false, allowRepacked: false };
    const { verdict, findings } = await verifyBackup(request, deps);
    if (verdict !== 'intact' && verdict !== 'incomplete') {
      unsound.push(`${name} is ${verdict}: ${JSON.stringify(findings)}`);
    }
  }
  return unsound;
}
