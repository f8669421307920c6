import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { tool } from './cli.js';
import { controlTmux } from './tmux.js';

export interface Terminal {
  /** Waits for what is on the screen to match, and gives all of it. */
  readonly until: (wanted: RegExp) => Promise<string>;
  /** All lines from the first on as they were written: those that the terminal broke in one. */
  readonly written: () => Promise<readonly string[]>;
  /** As `tmux send-keys` takes them: words, `Enter`, `C-c`. */
  readonly press: (...keys: readonly string[]) => void;
  readonly resize: (columns: number, rows: number) => void;
  /** What tmux knows of it: `#{cursor_flag}`, `#{alternate_on}`. */
  readonly ask: (format: string) => Promise<string>;
}

/**
 * Milliseconds; how long something may take to appear, when it is looked for though nothing was written, and how long after
 * it a person begins to type: what is typed before a question listens is not for it.
 */
const [patience, glance, hesitation] = [60_000, 500, 150];

/** Runs a shell command on a real terminal for the length of a test; its exit code is shown as `exit N` at its end. */
export function openTerminal(command: string, { columns = 200, rows = 40 } = {}): Terminal {
  const socket = `bkp-test-${process.pid}-${randomBytes(3).toString('hex')}`;
  const shown = `${command}; echo "exit $?"; sleep 60`;
  const size = ['-x', String(columns), '-y', String(rows)];
  tool('tmux', ['-L', socket, '-f', '/dev/null', 'new-session', '-d', ...size, shown]);
  onTestFinished(() => void tool('tmux', ['-L', socket, 'kill-server']));
  const { ask, tell, written } = controlTmux(socket);
  const screen = async (): Promise<string> => (await ask(['capture-pane', '-p'])).join('\n');
  return {
    until: async (wanted) => {
      for (const end = Date.now() + patience; Date.now() < end;) {
        const seen = await screen();
        if (wanted.test(seen)) {
          await delay(hesitation);
          return seen;
        }
        await written(glance);
        // What is written comes in pieces.
        await delay(10);
      }
      throw new Error(`never seen: ${String(wanted)}\n${await screen()}`);
    },
    written: async () => (await ask(['capture-pane', '-p', '-J', '-S', '-'])).map((line) => line.trimEnd()),
    press: (...keys) => tell(['send-keys', ...keys]),
    resize: (columns, rows) => tell(['resize-window', '-x', String(columns), '-y', String(rows)]),
    ask: async (format) => (await ask(['display-message', '-p', format])).join('\n').trim(),
  };
}
