import { BkpError, never } from '../base/errors.js';
import { runTool, type ToolResult } from './run-tool.js';

/** What `crontab -l` says where there is none: Vixie's and its heirs, and BusyBox. */
const none = /^(?:no crontab for |crontab: no crontab for |crontab: can't open '[^']*': No such file or directory)/m;

/** The crontab of the user who runs this; empty where there is none. Rejects with `cron-missing` or `crontab-failed`. */
export async function readCrontab(): Promise<Buffer> {
  const result = await runTool('crontab', ['-l']);
  if (result.kind === 'ended' && result.code === 0) return result.stdout;
  if (result.kind === 'ended' && none.test(result.stderr)) return Buffer.alloc(0);
  throw failure('read', result);
}

/** Replaces it; nothing left of it is no crontab. Rejects as `readCrontab` does; it is as it was then. */
export async function writeCrontab(crontab: Buffer): Promise<void> {
  const isNothing = crontab.length === 0;
  const result = isNothing ? await runTool('crontab', ['-r']) : await runTool('crontab', ['-'], crontab);
  if (result.kind === 'ended' && (result.code === 0 || (isNothing && none.test(result.stderr)))) return;
  throw failure('written', result);
}

/**
 * Makes one change to it; false where there was nothing to change. `change` is given the crontab and may throw. What was written
 * is read back.
 */
export async function changeCrontab(change: (crontab: Buffer) => Buffer): Promise<boolean> {
  const before = await readCrontab();
  const after = change(before);
  if (after.equals(before)) return false;
  await writeCrontab(after);
  const read = await readCrontab();
  // Some crons put a header of their own in front.
  if (read.subarray(Math.max(0, read.length - after.length)).equals(after)) return true;
  throw new BkpError('crontab-failed', 'the crontab is not what was written just now: somebody else changed it too', {
    hint: 'Look at it with `crontab -l`, and try again.',
  });
}

function failure(what: string, result: ToolResult): BkpError {
  switch (result.kind) {
    case 'missing':
      return new BkpError('cron-missing', 'there is no `crontab` command: cron is not installed', {
        hint: 'Install cron, use --systemd, or have another scheduler call `bkp schedule run` every ten minutes (--print shows how).',
      });
    case 'failed':
      return crontabFailed(what, result.reason);
    case 'ended':
      return crontabFailed(
        what,
        result.stderr === '' ? `it ended with code ${result.code ?? 'unknown'}` : result.stderr,
      );
    default:
      return never(result);
  }
}

function crontabFailed(what: string, reason: string): BkpError {
  return new BkpError('crontab-failed', `the crontab cannot be ${what}: ${reason}`, {
    hint: 'Check that this user may have one (/etc/cron.allow, /etc/cron.deny), or use --print and install it yourself.',
  });
}
