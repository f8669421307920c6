import type { KeptKeys } from '../kept-keys.js';
import type { EntryKey } from '../../compress/aes.js';
import type { Strength } from '../../compress/derive-key.js';
import type { CompressPool } from '../../compress/pool.js';
import type { SharedSecret } from '../../compress/shared-secret.js';

/** What opens the encrypted entries of an archive. */
export interface Unlocked {
  readonly secret: SharedSecret;
  /** Keys known from writing it. */
  readonly keys: KeptKeys | undefined;
}

/** The key of an entry with this salt: to be wiped by the caller. */
export async function entryKey(
  pool: CompressPool,
  { secret, keys }: Unlocked,
  salt: Buffer,
  strength: Strength,
): Promise<EntryKey> {
  const known = strength === 3 ? keys?.find(salt) : undefined;
  if (known !== undefined) return { material: Buffer.from(known), strength };
  const job = { data: Uint8Array.from(salt), passphrase: secret.bytes, strength };
  const { data } = await pool.run('derive-key', job);
  return { material: Buffer.from(data.buffer), strength };
}
