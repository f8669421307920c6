import { dirname, resolve } from 'node:path';
import { Passphrase } from '../base/passphrase.js';
import { wordFault } from './command-rules.js';
import type { ConfigFault } from './fault.js';
import { pathFault } from './path-rules.js';
import type { EncryptionEntry } from './schema.js';

/** Where the passphrase is to be had; nothing was read yet. `place`: who says so, for messages. */
export type PassphraseSource = { readonly place: string } & (
  | { readonly kind: 'file'; readonly path: string }
  /** Run without a shell, in `cwd`. */
  | { readonly kind: 'command'; readonly words: readonly string[]; readonly cwd: string }
  | { readonly kind: 'descriptor'; readonly fd: number }
  | { readonly kind: 'variable'; readonly passphrase: Passphrase }
);

export interface FoundSource {
  readonly source: PassphraseSource | undefined;
  readonly faults: readonly ConfigFault[];
}

export interface PassphraseFlags {
  readonly passphraseFile?: string | undefined;
  readonly passphraseCommand?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Flags before variables; two at one level are a fault. Paths are relative to `cwd`. */
export function outsidePassphrase(flags: PassphraseFlags, env: Environment, cwd: string): FoundSource {
  const byFlag = oneOf(
    [
      { place: '--passphrase-file', raw: flags.passphraseFile, read: fromPath },
      { place: '--passphrase-command', raw: flags.passphraseCommand, read: fromCommand },
    ],
    cwd,
  );
  const byVariable = oneOf(
    // An empty variable counts as not set.
    variables.map(([place, read]) => ({ place, raw: env[place] === '' ? undefined : env[place], read })),
    cwd,
  );
  return { source: byFlag.source ?? byVariable.source, faults: [...byFlag.faults, ...byVariable.faults] };
}

/** That of a configuration file, which was checked: paths are relative to it. */
export function configuredPassphrase(
  encryption: EncryptionEntry | undefined,
  configFile: string | undefined,
): PassphraseSource | undefined {
  if (encryption === undefined || configFile === undefined) return undefined;
  const { passphraseFile, passphraseCommand } = encryption;
  const cwd = dirname(configFile);
  const place = (key: string): string => `encryption.${key} in ${configFile}`;
  if (passphraseFile !== undefined) {
    return { kind: 'file', place: place('passphraseFile'), path: resolve(cwd, passphraseFile) };
  }
  if (passphraseCommand === undefined) return undefined;
  return { kind: 'command', place: place('passphraseCommand'), words: passphraseCommand, cwd };
}

interface Given {
  readonly place: string;
  readonly raw: string | undefined;
  readonly read: Reader;
}

function oneOf(all: readonly Given[], cwd: string): FoundSource {
  const set = all.flatMap(({ place, raw, read }) =>
    raw === undefined ? [] : [{ place, source: () => read(raw, place, cwd) }],
  );
  const [first, second] = set;
  if (first === undefined) return { source: undefined, faults: [] };
  if (second !== undefined) {
    const says = `cannot be given beside ${first.place}: the passphrase comes from one place`;
    return { source: undefined, faults: [{ at: second.place, says }] };
  }
  const source = first.source();
  if (typeof source !== 'string') return { source, faults: [] };
  return { source: undefined, faults: [{ at: first.place, says: source }] };
}

/** A source, or what is wrong with what was given. */
type Reader = (raw: string, place: string, cwd: string) => PassphraseSource | string;

const fromPath: Reader = (raw, place, cwd) => pathFault(raw) ?? { kind: 'file', place, path: resolve(cwd, raw) };

// What is given in place of a command or a number may be the passphrase itself: it is not shown.
const commandRule = 'must be a program without arguments, or a JSON list of words such as ["pass", "show", "bkp"]';

const fromCommand: Reader = (raw, place, cwd) => {
  const words = raw.startsWith('[') ? listed(raw) : /\s/.test(raw) ? undefined : [raw];
  const [program = ''] = words ?? [];
  if (words === undefined || program.trim() === '' || words.some((word) => wordFault(word) !== undefined)) {
    return commandRule;
  }
  return { kind: 'command', place, words, cwd };
};

function listed(raw: string): readonly string[] | undefined {
  try {
    const list: unknown = JSON.parse(raw);
    return Array.isArray(list) && list.every((word) => typeof word === 'string') ? list : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Not those that we write to. */
const fromDescriptor: Reader = (raw, place) =>
  /^(?:0|[3-9]|[1-9]\d{1,5})$/.test(raw)
    ? { kind: 'descriptor', place, fd: Number(raw) }
    : 'must be the number of a file descriptor to read: 0, or 3 and more';

const fromVariable: Reader = (raw, place) => ({ kind: 'variable', place, passphrase: new Passphrase(ownBytes(raw)) });

/** In memory that nothing else lies in. */
export function ownBytes(text: string): Buffer {
  const bytes = Buffer.alloc(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

const variables = [
  ['BKP_PASSPHRASE_FILE', fromPath],
  ['BKP_PASSPHRASE_COMMAND', fromCommand],
  ['BKP_PASSPHRASE_FD', fromDescriptor],
  ['BKP_PASSPHRASE', fromVariable],
] as const satisfies readonly (readonly [string, Reader])[];
