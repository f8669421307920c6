import { BkpError } from '../base/errors.js';

/** What a configuration says of it. */
export interface ReadOnlySetting {
  readonly readOnly: boolean;
  readonly origins: { readonly readOnly: 'flag' | 'env' | 'file' | 'default' };
  readonly configFile: string | undefined;
}

/**
 * For whatever keeps something in the storage (schedules, retention, locks, deleting): in read-only mode nothing is kept there.
 * `what`: the command. Throws `read-only`.
 */
export function refuseReadOnly(what: string, { readOnly, origins, configFile }: ReadOnlySetting): void {
  if (!readOnly) return;
  const place = origins.readOnly === 'env' ? 'BKP_READ_ONLY' : `readOnly in ${configFile ?? 'the configuration'}`;
  throw new BkpError(
    'read-only',
    `\`bkp ${what}\` changes what is in the storage, and ${place} says that nothing is written there`,
    {
      hint: 'In read-only mode backups are streamed (`bkp create > site.zip`) and kept elsewhere; turn it off where the storage can be written to.',
    },
  );
}
