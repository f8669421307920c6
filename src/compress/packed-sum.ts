import { createHash } from 'node:crypto';

/** Bytes of a packed sum. */
export const packedSumBytes = 16;

/** The first half of the SHA-256 of bytes as they lie in an archive: by it they are known again when they are taken over. */
export function packedSum(packed: Uint8Array): Buffer {
  return createHash('sha256').update(packed).digest().subarray(0, packedSumBytes);
}

/** Of what is stored as it is, out of the content's own SHA-256. */
export function sumAsStored(sha256: Buffer): Buffer {
  return sha256.subarray(0, packedSumBytes);
}
