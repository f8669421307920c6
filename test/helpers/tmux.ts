import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { tool } from './cli.js';

export interface Terminal {
  /** Waits until this can be seen; gives the whole screen. */
  readonly until: (wanted: RegExp) => Promise<string>;
  readonly press: (...keys: readonly string[]) => void;
}

/** A terminal of its own (tmux), on which a shell runs this line. */
export function openTerminal(line: string, columns = 200): Terminal {
  const socket = `bkp-test-${process.pid}-${randomBytes(3).toString('hex')}`;
  const tmux = (...args: readonly string[]): string => tool('tmux', ['-L', socket, ...args]);
  // The shell stays when the command has ended, so that its last words can be read.
  tmux('-f', '/dev/null', 'new-session', '-d', '-x', `${columns}`, '-y', '50', `${line}; sleep 60`);
  onTestFinished(() => void tmux('kill-server'));
  return {
    until: async (wanted) => {
      for (let tries = 0; tries < 600; tries += 1) {
        const seen = tmux('capture-pane', '-p');
        if (wanted.test(seen)) return seen;
        await delay(50);
      }
      throw new Error(`never seen: ${String(wanted)}\n${tmux('capture-pane', '-p')}`);
    },
    press: (...keys) => void tmux('send-keys', ...keys),
  };
}
