import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { tool } from './cli.js';

export interface Terminal {
  /** Waits for what is on the screen to match, and gives all of it. */
  readonly until: (wanted: RegExp) => Promise<string>;
  /** All lines from the first on as they were written: those that the terminal broke in one. */
  readonly written: () => readonly string[];
  /** As `tmux send-keys` takes them: words, `Enter`, `C-c`. */
  readonly press: (...keys: readonly string[]) => void;
  readonly resize: (columns: number, rows: number) => void;
  /** What tmux knows of it: `#{cursor_flag}`, `#{alternate_on}`. */
  readonly ask: (format: string) => string;
}

/** Runs a shell command on a real terminal for the length of a test; its exit code is shown as `exit N` at its end. */
export function openTerminal(command: string, { columns = 200, rows = 40 } = {}): Terminal {
  const socket = `bkp-test-${process.pid}-${randomBytes(3).toString('hex')}`;
  const shown = `${command}; echo "exit $?"; sleep 60`;
  const size = ['-x', String(columns), '-y', String(rows)];
  tool('tmux', ['-L', socket, '-f', '/dev/null', 'new-session', '-d', ...size, shown]);
  onTestFinished(() => void tool('tmux', ['-L', socket, 'kill-server']));
  const screen = (): string => tool('tmux', ['-L', socket, 'capture-pane', '-p']);
  return {
    until: async (wanted) => {
      for (let tries = 0; tries < 1200; tries += 1) {
        const seen = screen();
        if (wanted.test(seen)) return seen;
        await delay(50);
      }
      throw new Error(`never seen: ${String(wanted)}\n${screen()}`);
    },
    written: () =>
      tool('tmux', ['-L', socket, 'capture-pane', '-p', '-J', '-S', '-'])
        .split('\n')
        .map((line) => line.trimEnd()),
    press: (...keys) => void tool('tmux', ['-L', socket, 'send-keys', ...keys]),
    resize: (columns, rows) =>
      void tool('tmux', ['-L', socket, 'resize-window', '-x', String(columns), '-y', String(rows)]),
    ask: (format) => tool('tmux', ['-L', socket, 'display-message', '-p', format]).trim(),
  };
}
