import { createCipheriv, createDecipheriv, createHash, randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import type { Passphrase } from '../../base/passphrase.js';

const derive = promisify<Buffer, Buffer, number, Buffer>(scrypt);

export const sealSaltBytes = 16;
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const sumBytes = 16;

/** How pieces of a file are kept so that none is taken that is damaged, of another file or in another place. */
export interface PieceSeal {
  /** Bytes that it adds. */
  readonly overhead: number;
  close(piece: Buffer, context: Buffer): Buffer;
  /** The piece; undefined where it is not what was closed in this context. */
  open(closed: Buffer, context: Buffer): Buffer | undefined;
  forget(): void;
}

/** In clear, behind a sum. */
export const clearSeal: PieceSeal = {
  overhead: sumBytes,
  close: (piece, context) => Buffer.concat([sumOf(piece, context), piece]),
  open(closed, context) {
    const piece = closed.subarray(sumBytes);
    return sumOf(piece, context).equals(closed.subarray(0, sumBytes)) ? piece : undefined;
  },
  forget: () => undefined,
};

const sumOf = (piece: Buffer, context: Buffer): Buffer =>
  createHash('sha256').update(context).update(piece).digest().subarray(0, sumBytes);

/**
 * Encrypted with AES-256-GCM, under a key that scrypt derives: sums of what an encrypted archive holds would tell which known
 * files are in it. Each piece has a random nonce.
 */
export async function passphraseSeal(passphrase: Passphrase, salt: Buffer): Promise<PieceSeal> {
  const key = await derive(passphrase.bytes, salt, keyBytes);
  return {
    overhead: nonceBytes + tagBytes,
    close(piece, context) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(context);
      const sealed = Buffer.concat([cipher.update(piece), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
    },
    open(closed, context) {
      if (closed.length < nonceBytes + tagBytes) return undefined;
      const decipher = createDecipheriv('aes-256-gcm', key, closed.subarray(0, nonceBytes)).setAAD(context);
      decipher.setAuthTag(closed.subarray(nonceBytes, nonceBytes + tagBytes));
      try {
        return Buffer.concat([decipher.update(closed.subarray(nonceBytes + tagBytes)), decipher.final()]);
      } catch {
        return undefined;
      }
    },
    forget: () => void key.fill(0),
  };
}
