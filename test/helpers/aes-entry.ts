import { createCipheriv, createHmac, pbkdf2Sync } from 'node:crypto';
import { crc32, deflateRawSync } from 'node:zlib';
import { descriptor, extra, type RawEntry } from './zip-builder.js';

/**
 * Entries encrypted as WinZip's "AES Encryption Information" describes it, one AES block after the other. Knows nothing of
 * `src`.
 */
export interface AesOptions {
  readonly passphrase?: string;
  /** Where the passphrase's own would not do. */
  readonly material?: Buffer;
  /** AE-1 or AE-2. */
  readonly version?: number;
  /** 128, 192 or 256 bits. */
  readonly strength?: 1 | 2 | 3;
  /** Inside. */
  readonly method?: 0 | 8;
  readonly salt?: Buffer;
  readonly crc?: number;
  /** Sizes behind the content. */
  readonly descriptor?: boolean;
  /** What is done to the bytes between salt and HMAC, and to the HMAC. */
  readonly alter?: (parts: AesParts) => Partial<AesParts>;
}

export interface AesParts {
  readonly salt: Buffer;
  readonly verifier: Buffer;
  readonly encrypted: Buffer;
  readonly mac: Buffer;
}

export const testPassphrase = 'correct horse battery staple';

const keyLengths = { 1: 16, 2: 24, 3: 32 };

export const keyMaterial = (passphrase: string, salt: Buffer, strength: 1 | 2 | 3 = 3): Buffer =>
  pbkdf2Sync(passphrase, salt, 1000, 2 * keyLengths[strength] + 2, 'sha1');

/** Counter mode with a little-endian counter from 1. */
export function littleEndianCtr(key: Buffer, bytes: Buffer, position = 0): Buffer {
  const first = Math.floor(position / 16);
  const counters = Buffer.alloc(16 * (Math.ceil((position + bytes.length) / 16) - first));
  for (let at = 0; at < counters.length; at += 16) counters.writeBigUInt64LE(BigInt(first + 1 + at / 16), at);
  const stream = createCipheriv(`aes-${key.length * 8}-ecb`, key, null)
    .update(counters)
    .subarray(position % 16);
  return Buffer.from(bytes.map((byte, index) => byte ^ stream[index]!));
}

let salts = 0;

export function aesExtra(version: number, strength: number, method: number): Buffer {
  const data = Buffer.from([version, 0, 0x41, 0x45, strength, method, 0]);
  return extra(0x9901, data);
}

/** A record's fields and data for `buildZip`. */
export function aesEntry(name: string, content: string | Buffer, options: AesOptions = {}): RawEntry {
  const { passphrase = testPassphrase, version = 2, strength = 3, method = 8 } = options;
  const bytes = Buffer.from(content);
  const length = keyLengths[strength];
  const salt = options.salt ?? Buffer.alloc(length / 2, `salt ${salts++} `);
  const material = options.material ?? keyMaterial(passphrase, salt, strength);
  const packed = method === 8 ? deflateRawSync(bytes) : bytes;
  const encrypted = littleEndianCtr(material.subarray(0, length), packed);
  const honest = {
    salt,
    verifier: material.subarray(2 * length),
    encrypted,
    mac: createHmac('sha1', material.subarray(length, 2 * length))
      .update(encrypted)
      .digest()
      .subarray(0, 10),
  };
  const parts = { ...honest, ...options.alter?.(honest) };
  const data = Buffer.concat([parts.salt, parts.verifier, parts.encrypted, parts.mac]);
  const crc = options.crc ?? (version === 1 ? crc32(bytes) : 0);
  const flags = options.descriptor === true ? 0x0809 : 0x0801;
  return {
    ...{ name, content: bytes, data, method: 99, flags, extra: aesExtra(version, strength, method) },
    ...(options.descriptor === true ? { descriptor: descriptor(crc, data.length, bytes.length) } : {}),
    local: { needed: 51, crc, ...(options.descriptor === true ? { crc: 0, packedSize: 0, size: 0 } : {}) },
    central: { needed: 51, crc },
  };
}
