import { Option, type Command } from 'commander';
import { shellWord } from '../ui/display.js';
import { usageError } from './usage.js';

/** Where the passphrase is, as it was typed. */
export interface PassphraseOptions {
  readonly passphraseFile?: string;
  readonly passphraseCommand?: string;
}

export function addPassphraseOptions(command: Command): Command {
  return command
    .option('--passphrase-file <file>', 'the passphrase is in this file')
    .option('--passphrase-command <command>', 'this prints it: a program, or words as ["pass","show","bkp"]');
}

/** Arguments are seen by all users of a machine, and end up in the history of shells. */
export function refusePassphrase(command: Command): void {
  command.addOption(new Option('--passphrase [text]').hideHelp());
  command.on('option:passphrase', () => {
    throw usageError(
      'a passphrase is never an argument: everybody on this machine could read it there',
      'Pass --passphrase-file or --passphrase-command, or let it be asked for. Take another passphrase than that one.',
    );
  });
}

export const passphraseFlags = ({ passphraseFile, passphraseCommand }: PassphraseOptions): PassphraseOptions => ({
  ...(passphraseFile === undefined ? {} : { passphraseFile }),
  ...(passphraseCommand === undefined ? {} : { passphraseCommand }),
});

/** The same as they are typed, for a command that is proposed; each with a space before it. Never a passphrase. */
export function passphraseWords({ passphraseFile, passphraseCommand }: PassphraseOptions): string {
  const file = passphraseFile === undefined ? '' : ` --passphrase-file ${shellWord(passphraseFile)}`;
  return passphraseCommand === undefined ? file : `${file} --passphrase-command ${shellWord(passphraseCommand)}`;
}
