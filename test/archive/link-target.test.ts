import { describe, expect, it } from 'vitest';
import { recordableTarget } from '../../src/archive/link-target.js';
import { limits } from '../../src/base/limits.js';
import { link } from './tar/archives.js';

describe('recordableTarget', () => {
  it('is any target that a reader takes, up to the limit', () => {
    for (const target of ['x', '..', '/etc', 'a\nb', 'ü'.repeat(limits.maxLinkBytes / 2)]) {
      expect(recordableTarget(link('uploads/l', target).header)).toBe(target);
    }
  });

  it('is none that is missing, empty, too long or no text', () => {
    for (const target of ['', 'a\0b', 'a\ud800', 'x'.repeat(limits.maxLinkBytes + 1), 'ü'.repeat(2049)]) {
      expect(() => recordableTarget(link('uploads/l', target).header)).toThrow(RangeError);
    }
    const { target: _target, ...header } = link('uploads/l', 'x').header;
    expect(() => recordableTarget(header)).toThrow('"uploads/l"');
  });
});
