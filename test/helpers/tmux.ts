import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

/** A server of tmux, told what to do by one client, which is told when something is written. */
export interface ControlledTmux {
  /** Gives the lines that a command prints; rejects with them where it fails. */
  readonly ask: (words: readonly string[]) => Promise<readonly string[]>;
  readonly tell: (words: readonly string[]) => void;
  /** Waits until something was written since the last command, for so many milliseconds at most. */
  readonly written: (milliseconds: number) => Promise<void>;
}

/** Its "control mode": commands are lines of standard input, `%begin` and `%end` are around what each prints. */
export function controlTmux(socket: string): ControlledTmux {
  const client = spawn('tmux', ['-u', '-L', socket, '-C', 'attach'], { stdio: ['pipe', 'pipe', 'inherit'] });
  // Where the server has ended, so has its client.
  client.stdin.on('error', () => undefined);
  onTestFinished(() => void client.kill());
  const events = new EventEmitter();
  const lines = createInterface(client.stdout);
  const answers: ((lines: readonly string[], failed: boolean) => void)[] = [];
  /** The one to its own attaching has no command. */
  answers.push(() => undefined);
  let isWritten = false;
  let block: { readonly end: RegExp; readonly lines: string[] } | undefined;
  lines.on('line', (line) => {
    const [, number] = /^%begin (\d+ \d+) /.exec(line) ?? [];
    if (block !== undefined) {
      const [, how] = block.end.exec(line) ?? [];
      if (how === undefined) block.lines.push(line);
      else {
        answers.shift()?.(block.lines, how === 'error');
        block = undefined;
      }
    } else if (number !== undefined) block = { end: new RegExp(`^%(end|error) ${number} `), lines: [] };
    else if (line.startsWith('%output')) {
      isWritten = true;
      events.emit('written');
    }
  });
  const send = (words: readonly string[], answer: (typeof answers)[number]): void => {
    isWritten = false;
    answers.push(answer);
    client.stdin.write(`${words.map(quoted).join(' ')}\n`);
  };
  return {
    ask: (words) =>
      new Promise((resolve, reject) => {
        send(words, (lines, failed) => {
          if (failed) reject(new Error(`tmux ${words.join(' ')}: ${lines.join('\n')}`));
          else resolve(lines);
        });
      }),
    tell: (words) => send(words, () => undefined),
    written: async (milliseconds) => {
      if (!isWritten)
        await once(events, 'written', { signal: AbortSignal.timeout(milliseconds) }).catch(() => undefined);
    },
  };
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
