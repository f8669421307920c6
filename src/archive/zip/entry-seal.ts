import { isEncrypted, type ZipEntry } from './zip-entry.js';
import type { AesField } from './extra-fields.js';
import { methodAes } from './records.js';
import { sealBytes } from '../../compress/aes.js';

/** How an entry is encrypted that can be decrypted; undefined where it is in clear, or encrypted in another way. */
export function sealOf(entry: Pick<ZipEntry, 'flags' | 'method' | 'extras'>): AesField | undefined {
  return isEncrypted(entry) && entry.method === methodAes ? entry.extras.aes : undefined;
}

/** An entry as it is when it is decrypted. */
export interface Unsealed {
  readonly method: number;
  /** Bytes; negative where there is no room for what encryption adds. */
  readonly packedSize: number;
  /** Undefined where it is not to be looked at: the HMAC of AE-2 stands for it, whatever a writer put there. */
  readonly crc: number | undefined;
}

export function unsealed(entry: ZipEntry): Unsealed {
  const seal = sealOf(entry);
  if (seal === undefined) return entry;
  const packedSize = entry.packedSize - sealBytes(seal.strength);
  return { method: seal.method, packedSize, crc: seal.version === 1 ? entry.crc : undefined };
}
