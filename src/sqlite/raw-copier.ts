import './ignore-signals.js';
import { HeldFiles } from './held-files.js';
import type { CopierReply, CopierRequest } from './raw-copy-apart.js';
import { copyRaw } from './raw-copy.js';
import { wireError } from './wire-error.js';

// Copies the bytes of one database that another process has locked: here, closing its file drops nobody's locks.

process.once('message', (request: CopierRequest) => void serve(request));

process.on('disconnect', dieWithParent);

/** At once: what it would go on to write is no longer wanted. */
function dieWithParent(): void {
  process.kill(process.pid, 'SIGKILL');
}

async function serve({ source, destination }: CopierRequest): Promise<void> {
  const reply = await copy(source, destination);
  process.off('disconnect', dieWithParent);
  process.send?.(reply, undefined, undefined, () => {
    if (process.connected) process.disconnect();
  });
}

async function copy(source: string, destination: string): Promise<CopierReply> {
  try {
    return { kind: 'copied', result: await copyRaw(source, destination, new HeldFiles()) };
  } catch (error) {
    return { kind: 'failed', error: wireError(error) };
  }
}
