import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import { deriveKey, keyBytes, saltBytes, verifierBytes, type Strength } from './derive-key.js';

/**
 * The encryption of one zip entry (WinZip, "AES Encryption Information"): salt, verifier, AES in counter mode, and the first
 * bytes of an HMAC-SHA1 over the encrypted bytes.
 */
export interface EntryKey {
  /** As `deriveKey` gives it. */
  readonly material: Buffer;
  readonly strength: Strength;
}

export const macBytes = 10;

/** What an entry has before and behind its encrypted bytes. */
export const headBytes = (strength: Strength): number => saltBytes[strength] + verifierBytes;
export const sealBytes = (strength: Strength): number => headBytes(strength) + macBytes;

const cipherNames = { 1: 'aes-128-ecb', 2: 'aes-192-ecb', 3: 'aes-256-ecb' } as const;
const aesBlock = 16;

/** So much of the key stream is made at once: it stays in the cache until it is used. */
const pieceBytes = 32 * 1024;
const counters = new Uint32Array(pieceBytes / 4);
const counterBytes = new Uint8Array(counters.buffer);
const piece = new Uint32Array(pieceBytes / 4);
const pieceView = new Uint8Array(piece.buffer);

/**
 * Encrypts or decrypts in place: what lies `position` bytes behind the beginning of the entry's encrypted bytes. The counter
 * is little-endian and begins at 1, which no counter mode of the platform does: its AES encrypts the counters instead.
 */
export function applyCipher({ material, strength }: EntryKey, data: Uint8Array, position: number): void {
  const cipher = createCipheriv(cipherNames[strength], material.subarray(0, keyBytes[strength]), null);
  for (let done = 0; done < data.length;) {
    const skipped = (position + done) % aesBlock;
    const bytes = Math.min(pieceBytes - skipped, data.length - done);
    const blocks = Math.ceil((skipped + bytes) / aesBlock);
    setCounters((position + done - skipped) / aesBlock + 1, blocks);
    // Through a piece of our own: words need an alignment that the data does not have.
    pieceView.set(data.subarray(done, done + bytes), skipped);
    mix(cipher.update(counterBytes.subarray(0, blocks * aesBlock)));
    data.set(pieceView.subarray(skipped, skipped + bytes), done);
    done += bytes;
  }
}

function setCounters(first: number, count: number): void {
  for (let index = 0; index < count; index += 1) {
    const counter = first + index;
    counters[4 * index] = counter >>> 0;
    counters[4 * index + 1] = Math.floor(counter / 2 ** 32);
  }
}

/** `stream` consists of whole AES blocks: four words at a time are a quarter faster. */
function mix(stream: Buffer): void {
  const words = new Uint32Array(stream.buffer, stream.byteOffset, stream.length / 4);
  const one = (index: number): number => (piece[index] as number) ^ (words[index] as number);
  for (let index = 0; index < words.length; index += 4) {
    piece[index] = one(index);
    piece[index + 1] = one(index + 1);
    piece[index + 2] = one(index + 2);
    piece[index + 3] = one(index + 3);
  }
}

/** Over an entry's encrypted bytes; takes them in order. */
export type Mac = ReturnType<typeof createHmac>;

export const openMac = ({ material, strength }: EntryKey): Mac =>
  createHmac('sha1', material.subarray(keyBytes[strength], 2 * keyBytes[strength]));

export const endMac = (mac: Mac): Buffer => mac.digest().subarray(0, macBytes);

export const verifierOf = ({ material, strength }: EntryKey): Buffer =>
  material.subarray(2 * keyBytes[strength], 2 * keyBytes[strength] + verifierBytes);

/** Asked for one by one, random bytes take longer than encrypting a small file with them. */
const saltsAtOnce = 256;
let salts = Buffer.alloc(0);

/** For AES-256: never the same again. */
export function newSalt(): Buffer {
  if (salts.length === 0) salts = randomBytes(saltsAtOnce * saltBytes[3]);
  const salt = salts.subarray(0, saltBytes[3]);
  salts = salts.subarray(saltBytes[3]);
  return salt;
}

/** Writes a small entry, encrypted with AES-256 under a salt of its own, to `out`; gives the key, to be wiped. */
export function sealItem(passphrase: Uint8Array, content: Uint8Array, out: Buffer): EntryKey {
  const salt = newSalt();
  const key: EntryKey = { material: deriveKey(passphrase, salt, 3), strength: 3 };
  out.set(salt, 0);
  out.set(verifierOf(key), salt.length);
  const start = headBytes(3);
  const encrypted = out.subarray(start, start + content.length);
  encrypted.set(content);
  applyCipher(key, encrypted, 0);
  out.set(endMac(openMac(key).update(encrypted)), start + content.length);
  return key;
}

/** Thrown where an entry is not what was encrypted, or not with this passphrase. */
export class NotAuthentic extends Error {}

/** Undoes `sealItem`, in place; throws `NotAuthentic` before anything is decrypted. */
export function openItem(key: EntryKey, sealed: Buffer): Buffer {
  const start = headBytes(key.strength);
  const end = sealed.length - macBytes;
  if (end < start) throw new NotAuthentic('is too short to be encrypted');
  if (!verifierOf(key).equals(sealed.subarray(start - verifierBytes, start))) throw new NotAuthentic(otherVerifier);
  const encrypted = sealed.subarray(start, end);
  if (!endMac(openMac(key).update(encrypted)).equals(sealed.subarray(end))) throw new NotAuthentic(otherMac);
  applyCipher(key, encrypted, 0);
  return encrypted;
}

export const otherVerifier =
  'the passphrase that opens the other entries does not fit it: salt or verifier were altered';
export const otherMac = 'its encrypted bytes were altered: the HMAC does not match';
