import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import { factLines, helpLines, itemLines, labelledLines, proseLines } from '../../src/ui/prose.js';

const terminal = (width: number) => ({ terminal: true, width });
const pipe = { terminal: false, width: 80 };
const long = 'there are no backups: the folder /srv/cms/var/backups is not there';

describe('prose', () => {
  it('is broken between words, and hangs', () => {
    expect(proseLines(long, terminal(40), { hang: 2 })).toEqual([
      'there are no backups: the folder', //
      '  /srv/cms/var/backups is not there',
    ]);
    expect(labelledLines('error:', long, terminal(40))).toEqual([
      'error: there are no backups: the folder',
      '       /srv/cms/var/backups is not there',
    ]);
  });

  it('is left as it is where it fits to the last column, and where there is no terminal', () => {
    expect(proseLines(long, terminal(long.length))).toEqual([long]);
    expect(proseLines(long, terminal(long.length - 1))).toHaveLength(2);
    expect(proseLines(long, { terminal: false, width: 20 })).toEqual([long]);
    expect(labelledLines('error:', `${long}\n${long}`, pipe)).toEqual([`error: ${long}`, long]);
  });

  it('says the same in the same words, however narrow it is', () => {
    for (let width = 1; width < 90; width += 1) {
      const lines = labelledLines('error:', long, terminal(width));
      expect(lines.map((line) => line.trim()).join(' ')).toBe(`error: ${long}`);
      for (const line of lines) if (line.trim().includes(' ')) expect(line.length).toBeLessThanOrEqual(width);
    }
  });

  it('has a word that is wider than the line alone, at its edge', () => {
    expect(proseLines(long, terminal(15), { hang: 7 })).toEqual([
      ...[
        'there are no',
        '       backups:',
        '       the',
        '       folder',
        '/srv/cms/var/backups',
        '       is not',
        '       there',
      ],
    ]);
  });

  it('keeps a command in backquotes, an option with its word, and what it is told to keep', () => {
    const hint = 'Look at it with `bkp restore latest --dry-run`, then pass --confirm 20251030T120000Z-manual.';
    expect(proseLines(hint, terminal(44))).toEqual([
      'Look at it with',
      '`bkp restore latest --dry-run`, then pass',
      '--confirm 20251030T120000Z-manual.',
    ]);
    const whole = ['/srv/my (old) site/var'];
    expect(proseLines('none in /srv/my (old) site/var here', terminal(24), { whole })).toEqual([
      ...['none in', '/srv/my (old) site/var', 'here'],
    ]);
  });

  it('counts what is seen: no colours, two columns of a wide character', () => {
    const red = new Chalk({ level: 1 }).red('error:');
    expect(proseLines(`${red} 日本 日本`, terminal(11))).toEqual([`${red} 日本`, '日本']);
    expect(proseLines(`${red} 日本 日本`, terminal(16))).toHaveLength(1);
  });

  it('breaks each line of its own, the further ones below their beginning', () => {
    expect(proseLines('one two three\n  four five six', terminal(11), { hang: 4 })).toEqual([
      ...['one two', '    three', '  four five', '    six'],
    ]);
  });
});

describe('facts', () => {
  const facts = [['size', '1 B'] as const, ['comment', undefined] as const, ['sha256', 'aa bb'] as const];

  it('have their values below each other; what is not known is left out', () => {
    expect(factLines(facts, pipe)).toEqual(['  size    1 B', '  sha256  aa bb']);
  });

  it('go on below their values', () => {
    expect(factLines(facts, terminal(12))).toEqual(['  size    1', '          B', '  sha256  aa', '          bb']);
  });

  it('are whole where they are to be copied', () => {
    expect(factLines([['next', 'bkp show 1', 'whole']], terminal(12))).toEqual(['  next', '  bkp show 1']);
  });
});

describe('items', () => {
  it('have what is said of them beside them, or below where there is no room', () => {
    expect(itemLines('  -q', 'tell nothing but errors', 8, terminal(30))).toEqual([
      ...['  -q    tell nothing but', '        errors'],
    ]);
    expect(itemLines('  --long <option>', 'tell nothing but errors', 19, terminal(30))).toEqual([
      ...['  --long <option>', '      tell nothing but errors'],
    ]);
    expect(itemLines('', 'tell nothing but errors', 19, terminal(24))).toEqual([
      ...['    tell nothing but', '    errors'],
    ]);
    expect(itemLines('  -q', long, 8, pipe)).toEqual([`  -q    ${long}`]);
  });
});

describe('a help page', () => {
  const page = [
    'Usage: bkp [options] <command>',
    '',
    'Options:',
    '  -q, --quiet   tell nothing but errors',
    '',
    'Examples:',
    '  bkp create -o - | ssh host "cat > site.zip"',
    '  bkp list  what there is',
    '',
  ];

  it('is as it was where it fits, and elsewhere', () => {
    expect(helpLines(page.join('\n'), terminal(80))).toEqual(page);
    expect(helpLines(page.join('\n'), pipe)).toEqual([page.join('\n')]);
  });

  it('has what goes on below itself, and paragraphs, broken anew', () => {
    const more = [
      'A paragraph',
      'in two lines.',
      '',
      '  bkp restore latest --target /tmp',
      '             into a folder',
      '',
    ];
    expect(helpLines(more.join('\n'), terminal(46))).toEqual([
      ...['A paragraph in two lines.', '', '  bkp restore latest --target /tmp', '      into a folder', ''],
    ]);
  });

  it('is broken but for its commands', () => {
    expect(helpLines(page.join('\n'), terminal(28))).toEqual([
      ...['Usage: bkp [options]', '<command>', '', 'Options:'],
      ...['  -q, --quiet', '      tell nothing but', '      errors', '', 'Examples:'],
      ...['  bkp create -o - | ssh host "cat > site.zip"', '  bkp list  what there is', ''],
    ]);
  });
});
