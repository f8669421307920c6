import { BkpError } from '../base/errors.js';

// A crontab is bytes: whatever the lines of others are, they stay. As latin1 each byte is one character.

const marker = /^# bkp (\S+) (begin|end)[ \t\r]*$/;
const remark = '# Written by `bkp schedule install`, removed by `bkp schedule uninstall`.';

/**
 * The crontab with these lines as the block of an instance, in the place of an earlier one, else at its end. The same again
 * changes nothing. Throws `crontab-damaged` where a marker has lost its other half.
 */
export function withBlock(crontab: Buffer, key: string, lines: readonly string[]): Buffer {
  const text = crontab.toString('latin1');
  const block = [`# bkp ${key} begin`, remark, ...lines, `# bkp ${key} end`, ''].join('\n');
  const bytes = Buffer.from(block, 'utf8').toString('latin1');
  const found = findBlock(text, key);
  if (found !== undefined) return latin1(text.slice(0, found.start) + bytes + text.slice(found.end));
  // Cron passes over a last line without an end.
  const before = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return latin1(before + bytes);
}

/** The crontab without the block of an instance; the same where there is none. Throws as `withBlock` does. */
export function withoutBlock(crontab: Buffer, key: string): Buffer {
  const text = crontab.toString('latin1');
  const found = findBlock(text, key);
  return found === undefined ? crontab : latin1(text.slice(0, found.start) + text.slice(found.end));
}

/** The lines in the block of an instance, comments left out; undefined where there is none. Throws as `withBlock` does. */
export function blockLines(crontab: Buffer, key: string): readonly string[] | undefined {
  const text = crontab.toString('latin1');
  const found = findBlock(text, key);
  if (found === undefined) return undefined;
  const lines = latin1(text.slice(found.start, found.end)).toString('utf8').split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}

interface Block {
  readonly start: number;
  /** Behind its last line end. */
  readonly end: number;
}

/** Looks at the markers of all instances: a block that holds the marker of another is not to be replaced. */
function findBlock(text: string, key: string): Block | undefined {
  let found: Block | undefined;
  let open: { readonly key: string; readonly start: number } | undefined;
  for (let at = 0; at < text.length;) {
    const lineEnd = text.indexOf('\n', at);
    const next = lineEnd === -1 ? text.length : lineEnd + 1;
    const [, named, kind] = marker.exec(text.slice(at, lineEnd === -1 ? next : lineEnd)) ?? [];
    if (named !== undefined && kind === 'begin') {
      if (open !== undefined) throw damaged(`"# bkp ${open.key} begin" has no end`);
      open = { key: named, start: at };
    } else if (named !== undefined) {
      if (open?.key !== named) throw damaged(`"# bkp ${named} end" has no beginning`);
      if (named === key && found !== undefined) throw damaged(`there are two blocks of ${key}`);
      if (named === key) found = { start: open.start, end: next };
      open = undefined;
    }
    at = next;
  }
  if (open !== undefined) throw damaged(`"# bkp ${open.key} begin" has no end`);
  return found;
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

function damaged(what: string): BkpError {
  return new BkpError('crontab-damaged', `the crontab was left as it is: ${what}`, {
    hint: 'Look at it with `crontab -e`, and put the marker lines back or take the rest of that block out.',
  });
}
