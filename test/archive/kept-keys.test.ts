import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { KeptKeys } from '../../src/archive/kept-keys.js';

const bytes = (length: number, number: number, what: string): Buffer =>
  Buffer.concat([
    createHash('sha512').update(`${what} ${number}`).digest(),
    createHash('sha512').update(`${number} ${what}`).digest(),
  ]).subarray(0, length);
const salt = (number: number): Buffer => bytes(16, number, 'salt');
const key = (number: number): Buffer => bytes(66, number, 'key');

describe('KeptKeys', () => {
  it('finds each key under its salt, among many, and none under another', () => {
    const keys = new KeptKeys();
    for (let number = 0; number < 10_000; number += 1) keys.add(salt(number), key(number));
    for (let number = 0; number < 10_000; number += 1) {
      if (keys.find(salt(number))?.equals(key(number)) !== true) throw new Error(`key ${number} is lost`);
    }
    expect(keys.find(salt(10_000))).toBeUndefined();
    expect(keys.find(salt(1).subarray(0, 8))).toBeUndefined();
  });

  it('tells salts apart that begin alike', () => {
    const alike = (last: number): Buffer => Buffer.concat([Buffer.alloc(15, 7), Buffer.from([last])]);
    const keys = new KeptKeys();
    for (let last = 0; last < 100; last += 1) keys.add(alike(last), key(last));
    for (let last = 0; last < 100; last += 1) expect(keys.find(alike(last))).toEqual(key(last));
    expect(keys.find(alike(100))).toBeUndefined();
  });

  it('keeps copies, and no more than it may', () => {
    const keys = new KeptKeys(2);
    const first = key(0);
    keys.add(salt(0), first);
    first.fill(0);
    keys.add(salt(1), key(1));
    keys.add(salt(2), key(2));
    expect([keys.find(salt(0)), keys.find(salt(1)), keys.find(salt(2))]).toEqual([key(0), key(1), undefined]);
  });

  it('wipes what it forgets, and begins anew', () => {
    const keys = new KeptKeys();
    keys.add(salt(0), key(0));
    const view = keys.find(salt(0));
    keys.forget();
    expect(view).toEqual(Buffer.alloc(66));
    expect(keys.find(salt(0))).toBeUndefined();
    keys.add(salt(1), key(1));
    expect([keys.find(salt(0)), keys.find(salt(1))]).toEqual([undefined, key(1)]);
  });
});
