import { describe, expect, it } from 'vitest';
import { execFileSync } from 'node:child_process';
import { shellWord, shownName, shownText } from '../../src/ui/display.js';

describe('shownName', () => {
  it('escapes what a terminal acts on, and keeps all else', () => {
    expect(shownName('Offene Tür 🎈.jpg')).toBe('Offene Tür 🎈.jpg');
    expect(shownName('a\x1b[2Jb\r\nc\x9bd\u2028e')).toBe('a\\x1b[2Jb\\x0d\\x0ac\\xc2\\x9bd\\xe2\\x80\\xa8e');
  });

  it('escapes marks that turn the direction of the text', () => {
    expect(shownName('invoice\u202efdp.exe')).toBe('invoice\\u202efdp.exe');
    expect(shownName('\u2066a\u2069')).toBe('\\u2066a\\u2069');
  });
});

describe('shownText', () => {
  it('keeps the line ends of a message', () => {
    expect(shownText('two\nlines\x07')).toBe('two\nlines\\x07');
  });
});

describe('shellWord', () => {
  it.each(['plain/path-1.zip', "it's", 'two words', '$(rm -rf)', '', '~x'])('is taken back by a shell: %s', (word) => {
    expect(execFileSync('sh', ['-c', `printf %s ${shellWord(word)}`], { encoding: 'utf8' })).toBe(word);
  });
});
