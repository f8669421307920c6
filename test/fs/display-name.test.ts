import { expect, it } from 'vitest';
import { displayName } from '../../src/fs/display-name.js';

it('leaves valid text alone', () => {
  for (const text of ['plain', 'é🦊', 'nfd e\u0301', '\ufffd', 'back\\slash']) {
    expect(displayName(text)).toBe(text);
    expect(displayName(Buffer.from(text))).toBe(text);
  }
});

it('shows bytes that are not UTF-8, cut sequences and control characters escaped', () => {
  expect(displayName(Buffer.from([0x61, 0xff, 0x62]))).toBe('a\\xffb');
  expect(displayName(Buffer.from([0xe2, 0x82]))).toBe('\\xe2\\x82');
  expect(displayName(Buffer.from([0xed, 0xa0, 0x80]))).toBe('\\xed\\xa0\\x80');
  expect(displayName(Buffer.from([0xf0, 0x9f, 0xa6, 0x8a, 0xc3]))).toBe('🦊\\xc3');
  expect(displayName('a\n\u001b[31m\u0085')).toBe('a\\x0a\\x1b[31m\\xc2\\x85');
});
