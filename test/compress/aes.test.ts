import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  applyCipher,
  headBytes,
  macBytes,
  NotAuthentic,
  openItem,
  sealBytes,
  sealItem,
  type EntryKey,
} from '../../src/compress/aes.js';
import { derivedBytes, deriveKey, keyBytes, saltBytes } from '../../src/compress/derive-key.js';
import { noise } from '../archive/tar/archives.js';
import { littleEndianCtr } from '../helpers/aes-entry.js';

const keyOf = (strength: 1 | 2 | 3): EntryKey => ({ material: noise(derivedBytes(strength), strength), strength });

describe('applyCipher', () => {
  it.each([1, 2, 3] as const)('is counter mode with a little-endian counter from 1 (strength %s)', (strength) => {
    const key = keyOf(strength);
    const aes = key.material.subarray(0, keyBytes[strength]);
    for (const length of [0, 1, 15, 16, 17, 1000, 40_000]) {
      const data = noise(length, 7);
      const expected = littleEndianCtr(aes, data);
      applyCipher(key, data, 0);
      expect(data.equals(expected)).toBe(true);
    }
  });

  it('begins anywhere: pieces of any length are the same as the whole', () => {
    const whole = noise(100_000);
    const expected = Buffer.from(whole);
    applyCipher(keyOf(3), expected, 0);
    for (const piece of [1, 7, 16, 999, 32_768, 32_769, 65_535]) {
      // At an odd address too.
      const data = Buffer.concat([Buffer.alloc(1), whole]).subarray(1);
      for (let at = 0; at < (piece < 16 ? 300 : data.length); at += piece)
        applyCipher(keyOf(3), data.subarray(at, at + piece), at);
      const done = piece < 16 ? 300 : data.length;
      expect([piece, data.subarray(0, done).equals(expected.subarray(0, done))]).toEqual([piece, true]);
    }
  });

  it('counts on beyond 32 bits of blocks', () => {
    const key = keyOf(3);
    const position = 16 * (2 ** 32 - 3) + 5;
    const data = noise(200);
    const expected = littleEndianCtr(key.material.subarray(0, 32), data, position);
    applyCipher(key, data, position);
    expect(data.equals(expected)).toBe(true);
  });

  it('undoes itself', () => {
    const data = noise(5000);
    applyCipher(keyOf(3), data, 12);
    applyCipher(keyOf(3), data, 12);
    expect(data.equals(noise(5000))).toBe(true);
  });
});

describe('sealItem', () => {
  const passphrase = Buffer.from('correct horse');
  const seal = (content: Buffer): { sealed: Buffer; key: EntryKey } => {
    const sealed = Buffer.alloc(content.length + sealBytes(3));
    return { key: sealItem(passphrase, content, sealed), sealed };
  };

  it('writes salt, verifier, encrypted bytes and their HMAC', () => {
    const content = noise(1234);
    const { sealed, key } = seal(content);
    const salt = sealed.subarray(0, saltBytes[3]);
    const material = deriveKey(passphrase, salt, 3);
    expect(key.material).toEqual(material);
    expect(sealed.subarray(16, 18)).toEqual(material.subarray(64));
    const encrypted = sealed.subarray(headBytes(3), -macBytes);
    expect(encrypted.equals(littleEndianCtr(material.subarray(0, 32), content))).toBe(true);
    const mac = createHmac('sha1', material.subarray(32, 64)).update(encrypted).digest();
    expect(sealed.subarray(-macBytes)).toEqual(mac.subarray(0, 10));
  });

  it('never takes a salt twice', () => {
    const salts = Array.from({ length: 200 }, () => seal(Buffer.from('same')).sealed.toString('hex', 0, 16));
    expect(new Set(salts).size).toBe(200);
  });

  it('is undone by openItem, down to nothing', () => {
    for (const length of [0, 1, 50_000]) {
      const { sealed, key } = seal(noise(length));
      expect(openItem(key, sealed).equals(noise(length))).toBe(true);
    }
  });

  it('gives nothing of what was altered, by any bit, or is too short', () => {
    const { sealed, key } = seal(Buffer.from('content'));
    for (let at = saltBytes[3]; at < sealed.length; at += 1) {
      const altered = Buffer.from(sealed);
      altered[at]! ^= 1 << (at % 8);
      expect(() => openItem(key, altered)).toThrow(NotAuthentic);
    }
    for (const length of [0, 17, 27]) expect(() => openItem(key, sealed.subarray(0, length))).toThrow(NotAuthentic);
    expect(openItem(key, sealed).toString()).toBe('content');
  });
});
