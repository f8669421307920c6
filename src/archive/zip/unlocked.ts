import type { KeptKeys } from '../kept-keys.js';
import type { EntryKey } from '../../compress/aes.js';
import { deriveKey, type Strength } from '../../compress/derive-key.js';
import type { SharedSecret } from '../../compress/shared-secret.js';

/** What opens the encrypted entries of an archive. */
export interface Unlocked {
  readonly secret: SharedSecret;
  /** Keys known from writing it. */
  readonly keys: KeptKeys | undefined;
}

/** The key of a large entry with this salt: to be wiped by the caller. Beside reading it, deriving it takes no time. */
export function entryKey({ secret, keys }: Unlocked, salt: Buffer, strength: Strength): EntryKey {
  const known = strength === 3 ? keys?.find(salt) : undefined;
  const material = known === undefined ? deriveKey(secret.bytes, salt, strength) : Buffer.from(known);
  return { material, strength };
}
