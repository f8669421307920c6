import { UnsupportedEncryption, type ArchiveReader, type Encryption } from '../archive/archive.js';
import type { KeptKeys } from '../archive/kept-keys.js';
import { BkpError, never } from '../base/errors.js';
import type { AskPassphrase, Passphrase } from '../base/passphrase.js';
import { parseArchiveComment } from '../manifest/archive-comment.js';

export interface Unlocking {
  readonly passphrase?: AskPassphrase | undefined;
  /** Keys known from writing the archive. */
  readonly keys?: KeptKeys;
}

/**
 * Gets and tries the passphrase of an encrypted archive; gives it, to be used while the archive is open, or undefined where
 * none is needed. Rejects with `encryption-unsupported`, `passphrase-missing` or `passphrase-wrong`, or with `ArchiveDamage`.
 */
export async function unlockArchive(
  reader: ArchiveReader,
  name: string,
  { passphrase: ask, keys }: Unlocking,
): Promise<Passphrase | undefined> {
  const encryption = await encryptionOf(reader);
  switch (encryption) {
    case 'none':
      return undefined;
    case 'unsupported':
      throw unsupported(name);
    case 'aes': {
      if (ask === undefined) throw missing(name);
      const hint = parseArchiveComment(reader.comment)?.hint;
      let given = await ask({ file: name, hint });
      for (let attempt = 1; !(await reader.unlock(given, keys)); attempt += 1) {
        const another = attempt < attempts ? await ask({ file: name, hint, wrong: given }) : given;
        if (another === given) throw wrong(name, hint);
        given = another;
      }
      return given;
    }
    default:
      return never(encryption);
  }
}

/** How often somebody may mistype it. */
const attempts = 3;

async function encryptionOf(reader: ArchiveReader): Promise<Encryption> {
  try {
    return await reader.encryption();
  } catch (error) {
    if (error instanceof UnsupportedEncryption) return 'unsupported';
    throw error;
  }
}

const unsupported = (name: string): BkpError =>
  new BkpError('encryption-unsupported', `${name} is encrypted in a way that bkp cannot open`, {
    hint: `7-Zip may open it: 7z x ${JSON.stringify(name)}`,
    path: name,
  });

const missing = (name: string): BkpError =>
  new BkpError('passphrase-missing', `${name} is encrypted, and no passphrase was given`, {
    hint: 'Pass the passphrase it was made with.',
    path: name,
  });

const wrong = (name: string, hint: string | undefined): BkpError =>
  new BkpError('passphrase-wrong', `the passphrase is not that of ${name}`, {
    hint:
      hint === undefined ? 'Pass the one it was made with.' : `Pass the one it was made with; its hint says: ${hint}`,
    path: name,
  });
