import { pbkdf2Sync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { deriveKey, derivedBytes, keyBytes, saltBytes, type Strength } from '../../src/compress/derive-key.js';
import { openSha1Lanes } from '../../src/compress/sha1-lanes.js';
import { noise } from '../archive/tar/archives.js';

const passphrases = [
  'p',
  'correct horse battery staple',
  'Zürich 💾',
  'x'.repeat(63),
  'x'.repeat(64),
  'x'.repeat(65),
  'y'.repeat(1000),
];

describe('deriveKey', () => {
  it.each([1, 2, 3] as const)('gives what the platform gives (strength %s)', (strength: Strength) => {
    for (const [index, text] of passphrases.entries()) {
      const salt = noise(saltBytes[strength], index + 1);
      const expected = pbkdf2Sync(text, salt, 1000, 2 * keyBytes[strength] + 2, 'sha1');
      expect([text, deriveKey(Buffer.from(text), salt, strength)]).toEqual([text, expected]);
      expect(derivedBytes(strength)).toBe(expected.length);
    }
  });

  it('takes a passphrase from shared memory', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(6));
    shared.set(Buffer.from('secret'));
    for (const strength of [1, 3] as const) {
      const salt = noise(saltBytes[strength]);
      expect(deriveKey(shared, salt, strength)).toEqual(deriveKey(Buffer.from('secret'), salt, strength));
    }
  });
});

describe('openSha1Lanes', () => {
  const lanes = openSha1Lanes();
  // On a machine without such vectors the platform's own is used, and this is not there to be tested.
  it.skipIf(lanes === undefined)('agrees with the platform in all of its output, for any number of rounds', () => {
    for (const [index, rounds] of [1, 2, 3, 10, 999].entries()) {
      const [secret, salt] = [noise(1 + 13 * index, 50 + index), noise(16, 90 + index)];
      const key = Buffer.alloc(64);
      key.set(secret);
      expect(lanes?.derive(key, salt, rounds)).toEqual(pbkdf2Sync(secret, salt, rounds, 80, 'sha1'));
    }
  });

  it.skipIf(lanes === undefined)('carries nothing over from one key to the next', () => {
    const [key, salt] = [Buffer.alloc(64, 'k'), noise(16)];
    const first = lanes?.derive(key, salt, 5);
    lanes?.derive(Buffer.alloc(64, 'other'), noise(16, 2), 7);
    expect(lanes?.derive(key, salt, 5)).toEqual(first);
  });
});
