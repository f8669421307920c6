import type { Container } from '../archive/archive.js';
import type { Config } from '../config/config.js';
import { oneLineFault } from '../config/text-rules.js';
import type { CreateOptions } from './create.js';
import { usageError } from './usage.js';

/** How an archive is to be encrypted. */
export interface WantedEncryption {
  readonly hint: string | undefined;
}

/** Whether and how a backup is to be encrypted; throws `usage` where what was said contradicts itself. */
export function wantedEncryption(
  options: CreateOptions,
  config: Pick<Config, 'encryption' | 'origins' | 'configFile'>,
  container: Container,
): WantedEncryption | undefined {
  const { encrypt } = options;
  const { enabled, hint } = config.encryption;
  if (!(encrypt ?? enabled)) {
    refuseWithout(options);
    return undefined;
  }
  if (container !== 'zip') throw notAZip(options, config);
  return { hint: options.hint === undefined ? hint : checkedHint(options.hint) };
}

/** Who says how to encrypt believes that the archive will be. */
function refuseWithout({ encrypt, passphraseFile, passphraseCommand, hint }: CreateOptions): void {
  const given = Object.entries({
    '--passphrase-file': passphraseFile,
    '--passphrase-command': passphraseCommand,
    '--hint': hint,
  }).find(([, value]) => value !== undefined);
  if (given === undefined) return;
  throw encrypt === false
    ? usageError(`${given[0]} and --no-encrypt contradict each other`, 'Leave one of them out.')
    : usageError(`${given[0]} was given, but this backup is not to be encrypted`, 'Add --encrypt, or leave it out.');
}

function notAZip(
  { encrypt, output }: CreateOptions,
  { origins, configFile }: Pick<Config, 'origins' | 'configFile'>,
): Error {
  const places = { flag: '--format', env: 'BKP_FORMAT', file: `format in ${configFile ?? ''}`, default: 'the default' };
  const place = output === undefined || output === '-' ? places[origins.format] : `--output ${output}`;
  const message = `only a zip can be encrypted, and ${place} says tar.gz`;
  return encrypt === true
    ? usageError(message, 'Pass --format zip (or an output that ends in .zip), or leave --encrypt out.')
    : usageError(
        `${message}, while the configuration turns encryption on`,
        'Pass --no-encrypt for a tar.gz that everybody can read, or --format zip.',
      );
}

function checkedHint(hint: string): string {
  const fault = oneLineFault(hint);
  if (fault === undefined) return hint;
  throw usageError(`--hint ${fault}`, 'It is written into the archive, readable to all: where the passphrase is kept.');
}
