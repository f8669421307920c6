import { BkpError, errorText, never } from '../base/errors.js';
import { Passphrase } from '../base/passphrase.js';
import { readSecretDescriptor, readSecretFile, type SecretFile } from '../fs/read-secret.js';
import { reasonOf } from '../fs/reason.js';
import { commandOutput } from '../system/command-output.js';
import { longestPassphrase, passphraseFault } from './passphrase-rules.js';
import type { PassphraseSource } from './passphrase-source.js';

export interface ReadPassphrase {
  readonly passphrase: Passphrase;
  /** What should be mended, although it could be read. */
  readonly warning: string | undefined;
}

/** Milliseconds for a command, and for what writes to a descriptor. */
const patience = 60_000;
/** With the line end that may follow it. */
const maxBytes = longestPassphrase + 2;

/**
 * Gets the passphrase from where it is; one line end behind it is dropped. Rejects with `passphrase-missing` where it cannot
 * be had or used, and with the signal's reason. Of what a command printed, no message tells anything.
 */
export async function readPassphrase(
  source: PassphraseSource,
  signal: AbortSignal,
  timeout = patience,
): Promise<ReadPassphrase> {
  const { place } = source;
  switch (source.kind) {
    case 'file': {
      const { path } = source;
      const { bytes, mode } = readFile(path, place);
      return { passphrase: usable(bytes, `the passphrase in ${path}`, place), warning: openness(path, mode) };
    }
    case 'command': {
      const name = JSON.stringify(source.words[0]);
      const output = await commandOutput({ ...source, timeout, maxBytes, signal });
      const hint = `Run the command of ${place} by hand: it must print the passphrase, and ask nothing.`;
      if (!output.ok) throw missing(`the passphrase command ${name} ${output.reason}`, { hint });
      return { passphrase: usable(output.bytes, `what ${name} printed`, place), warning: undefined };
    }
    case 'descriptor': {
      const { fd } = source;
      const bytes = await readSecretDescriptor({ fd, maxBytes, timeout, signal }).catch((error: unknown) => {
        signal.throwIfAborted();
        const message = `no passphrase came from descriptor ${fd}: ${errorText(error)}`;
        throw missing(message, { hint: checkHint(place), cause: error });
      });
      return { passphrase: usable(bytes, `the passphrase from descriptor ${fd}`, place), warning: undefined };
    }
    case 'variable': {
      const fault = passphraseFault(source.passphrase.bytes);
      if (fault !== undefined) throw missing(`the passphrase in ${place} ${fault}`, { hint: checkHint(place) });
      return { passphrase: source.passphrase, warning: undefined };
    }
    default:
      return never(source);
  }
}

const missing = (message: string, details: { hint: string; cause?: unknown; path?: string }): BkpError =>
  new BkpError('passphrase-missing', message, details);

const checkHint = (place: string): string => `Check ${place}; docs/encryption.md says what a passphrase may be.`;

function usable(raw: Buffer, what: string, place: string): Passphrase {
  const bytes = withoutLineEnd(raw);
  const fault = passphraseFault(bytes);
  if (fault === undefined) return new Passphrase(bytes);
  raw.fill(0);
  throw missing(`${what} ${fault}`, { hint: checkHint(place) });
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

function withoutLineEnd(bytes: Buffer): Buffer {
  if (bytes.at(-1) !== lineFeed) return bytes;
  return bytes.subarray(0, bytes.at(-2) === carriageReturn ? -2 : -1);
}

function readFile(path: string, place: string): SecretFile {
  try {
    return readSecretFile(path, maxBytes);
  } catch (error) {
    const message = `the passphrase file ${path} cannot be read: ${reasonOf(error)}`;
    throw missing(message, { hint: checkHint(place), cause: error, path });
  }
}

function openness(path: string, mode: number): string | undefined {
  if ((mode & 0o077) === 0) return undefined;
  return `the passphrase file ${path} is open to other users (mode 0${mode.toString(8)}): chmod 600 closes it`;
}
