import { createHash, pbkdf2Sync } from 'node:crypto';
import { openSha1Lanes, type Sha1Lanes } from './sha1-lanes.js';

/** AES key lengths as WinZip's AES extra field numbers them: 128, 192 and 256 bits. */
export type Strength = 1 | 2 | 3;

/** Bytes, by strength. */
export const keyBytes = { 1: 16, 2: 24, 3: 32 } as const satisfies Record<Strength, number>;
export const saltBytes = { 1: 8, 2: 12, 3: 16 } as const satisfies Record<Strength, number>;

/** Tells a wrong passphrase before anything is decrypted. */
export const verifierBytes = 2;

/** What is derived for an entry: the AES key, the HMAC key of the same length, the verifier. */
export const derivedBytes = (strength: Strength): number => 2 * keyBytes[strength] + verifierBytes;

/** Fixed by the format: WinZip's "AES Encryption Information", "Key generation". */
const rounds = 1000;

/** The key material of an entry, `derivedBytes` long: to be wiped by the caller. The salt has `saltBytes`. */
export function deriveKey(passphrase: Uint8Array, salt: Uint8Array, strength: Strength): Buffer {
  const length = derivedBytes(strength);
  const lanes = strength === 3 ? provenLanes() : undefined;
  return lanes === undefined ? platformKey(passphrase, salt, length) : lanesKey(lanes, passphrase, salt, length);
}

const platformKey = (passphrase: Uint8Array, salt: Uint8Array, length: number): Buffer =>
  pbkdf2Sync(passphrase, salt, rounds, length, 'sha1');

function lanesKey(lanes: Sha1Lanes, passphrase: Uint8Array, salt: Uint8Array, length: number): Buffer {
  const key = Buffer.alloc(64);
  // RFC 2104 2: a key longer than a block is hashed.
  key.set(passphrase.length > key.length ? createHash('sha1').update(passphrase).digest() : passphrase);
  const output = lanes.derive(key, Buffer.from(salt), rounds);
  key.fill(0);
  output.fill(0, length);
  return output.subarray(0, length);
}

let proven: { readonly lanes: Sha1Lanes | undefined } | undefined;

/** The fast way, where there is one and it gives on this machine what the platform's own gives. */
function provenLanes(): Sha1Lanes | undefined {
  proven ??= { lanes: prove(openSha1Lanes()) };
  return proven.lanes;
}

function prove(lanes: Sha1Lanes | undefined): Sha1Lanes | undefined {
  if (lanes === undefined) return undefined;
  const [passphrase, salt, length] = [Buffer.from('proof'), Buffer.from('0123456789abcdef'), derivedBytes(3)];
  const agrees = lanesKey(lanes, passphrase, salt, length).equals(platformKey(passphrase, salt, length));
  return agrees ? lanes : undefined;
}
