import { never } from '../base/errors.js';
import { globFault } from '../config/path-rules.js';
import { passphraseFlags, type PassphraseOptions } from './passphrase-options.js';
import { namesOf, usageError } from './usage.js';

/** As commander gives them. */
export interface RestoreOptions extends PassphraseOptions {
  readonly target?: string;
  readonly dryRun?: boolean;
  readonly only?: readonly string[];
  readonly path?: readonly string[];
  readonly owner?: string;
  readonly confirm?: string;
  /** False with `--no-safety-backup`. */
  readonly safetyBackup?: boolean;
  readonly allowUnverified?: boolean;
  readonly allowRepacked?: boolean;
  readonly recover?: boolean;
  readonly undo?: boolean;
}

/** The backup that is meant: one that is named, the newest safety backup, or one that a person is asked for. */
export type Wanted =
  { readonly kind: 'named'; readonly reference: string } | { readonly kind: 'undo' } | { readonly kind: 'asked' };

interface Taken {
  readonly dryRun: boolean;
  readonly only: readonly string[] | undefined;
  readonly owner: string | undefined;
  readonly allowUnverified: boolean;
  readonly allowRepacked: boolean;
  readonly passphrase: PassphraseOptions;
}

export interface ElsewhereTask extends Taken {
  readonly kind: 'elsewhere';
  readonly reference: string;
  /** As given; undefined for a look without one. */
  readonly target: string | undefined;
}

export interface InPlaceTask extends Taken {
  readonly kind: 'in-place';
  readonly wanted: Wanted;
  /** Globs of single files to merge in; undefined: whole sources. */
  readonly paths: readonly string[] | undefined;
  readonly confirm: string | undefined;
  readonly safetyBackup: boolean;
}

/** What a command line of `restore` asks for. */
export type RestoreTask = InPlaceTask | ElsewhereTask | { readonly kind: 'recover' };

/** Throws `usage` where what was given contradicts itself. */
export function restoreTask(reference: string | undefined, options: RestoreOptions): RestoreTask {
  const kind = options.recover === true ? 'recover' : options.undo === true ? 'undo' : 'named';
  switch (kind) {
    case 'recover':
      refuseBeside('--recover', ['--undo', ...whereFlags, ...whatFlags], options, reference);
      return { kind: 'recover' };
    case 'undo':
      refuseBeside('--undo', ['--target'], options, reference);
      return inPlace({ kind: 'undo' }, options);
    case 'named':
      if (reference === undefined) {
        // Who passes one of these is no person to be asked.
        if (options.target !== undefined || options.confirm !== undefined) throw noBackupNamed();
        return inPlace({ kind: 'asked' }, options);
      }
      if (options.target === undefined) return inPlace({ kind: 'named', reference }, options);
      refuseBeside('--target', ['--path', '--confirm', '--no-safety-backup'], options, undefined);
      return { kind: 'elsewhere', reference, target: options.target, ...taken(options) };
    default:
      return never(kind);
  }
}

function inPlace(wanted: Wanted, options: RestoreOptions): InPlaceTask {
  const { path, confirm, safetyBackup } = options;
  const paths = path === undefined ? undefined : checkedGlobs(path);
  return { kind: 'in-place', wanted, paths, confirm, safetyBackup: safetyBackup !== false, ...taken(options) };
}

const taken = (options: RestoreOptions): Taken => ({
  dryRun: options.dryRun === true,
  only: namesOf(options.only, '--only'),
  owner: options.owner,
  allowUnverified: options.allowUnverified === true,
  allowRepacked: options.allowRepacked === true,
  passphrase: passphraseFlags(options),
});

const whereFlags = ['--target', '--dry-run', '--confirm'] as const;
const whatFlags = [
  '--only',
  '--path',
  '--owner',
  '--no-safety-backup',
  '--allow-unverified',
  '--allow-repacked',
  '--passphrase-file',
  '--passphrase-command',
] as const;

type Flag = '--undo' | (typeof whereFlags)[number] | (typeof whatFlags)[number];

const isGiven: Readonly<Record<Flag, (options: RestoreOptions) => boolean>> = {
  '--undo': ({ undo }) => undo === true,
  '--target': ({ target }) => target !== undefined,
  '--dry-run': ({ dryRun }) => dryRun === true,
  '--confirm': ({ confirm }) => confirm !== undefined,
  '--only': ({ only }) => only !== undefined,
  '--path': ({ path }) => path !== undefined,
  '--owner': ({ owner }) => owner !== undefined,
  '--no-safety-backup': ({ safetyBackup }) => safetyBackup === false,
  '--allow-unverified': ({ allowUnverified }) => allowUnverified === true,
  '--allow-repacked': ({ allowRepacked }) => allowRepacked === true,
  '--passphrase-file': ({ passphraseFile }) => passphraseFile !== undefined,
  '--passphrase-command': ({ passphraseCommand }) => passphraseCommand !== undefined,
};

function refuseBeside(
  flag: '--recover' | '--undo' | '--target',
  others: readonly Flag[],
  options: RestoreOptions,
  reference: string | undefined,
): void {
  const reasons = {
    '--recover': 'It only ends the restore that was interrupted, as that one was meant.',
    '--undo': 'It puts the newest safety backup back in place.',
    '--target': 'In an empty folder nothing is replaced.',
  } as const;
  if (reference !== undefined) {
    throw usageError(`${flag} and a named backup contradict each other`, `${reasons[flag]} Leave one of them out.`);
  }
  const other = others.find((one) => isGiven[one](options));
  if (other === undefined) return;
  throw usageError(`${flag} and ${other} contradict each other`, `${reasons[flag]} Leave one of them out.`);
}

function checkedGlobs(globs: readonly string[]): readonly string[] {
  const fault = globs.map(globFault).find((found) => found !== undefined);
  if (fault === undefined) return globs;
  throw usageError(`--path ${fault}`, 'It is matched against source/path, as in "uploads/2024/**".');
}

export const noBackupNamed = (): Error =>
  usageError('no backup is named', 'Pass an id, latest, or a file; `bkp list` shows what is there.');
