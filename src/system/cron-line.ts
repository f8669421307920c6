import { BkpError } from '../base/errors.js';

/** Bytes of a command that every cron takes (MAX_COMMAND of Vixie's has 1000, with its end). */
const longestCommand = 990;

const plain = /^[A-Za-z0-9_@+=:,./-]+$/;

/**
 * A line of a crontab. `when`: its five fields. Throws `cron-inexpressible` where a word has line ends or other control
 * characters, a backslash (crons differ in what becomes of one), or where the line is too long.
 */
export function cronLine(when: string, words: readonly string[]): string {
  for (const word of words) {
    if (/\p{Cc}/u.test(word)) throw inexpressible(`it has control characters: ${JSON.stringify(word)}`);
    if (word.includes('\\')) throw inexpressible(`it has a backslash: ${word}`);
  }
  const command = words.map(shellWord).join(' ');
  const bytes = Buffer.byteLength(command);
  if (bytes > longestCommand) throw inexpressible(`the command has ${bytes} bytes, and cron takes ${longestCommand}`);
  return `${when} ${command}`;
}

/** For `/bin/sh`, by way of cron, to which a `%` is a line end unless it is escaped: outside of quotes the shell takes that too. */
function shellWord(word: string): string {
  if (plain.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`).replaceAll('%', `'\\%'`)}'`;
}

function inexpressible(why: string): BkpError {
  return new BkpError('cron-inexpressible', `the crontab cannot hold this call of bkp: ${why}`, {
    hint: 'Use --systemd, or move what has that path.',
  });
}
