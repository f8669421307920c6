import type { Command } from 'commander';
import { withCleanup } from '../base/cleanup.js';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import type { BackupFile } from '../operations/backup-file.js';
import type { View } from '../ui/output.js';
import { globalOptions, type GlobalOptions } from './global-options.js';
import type { Place } from './instance.js';
import type { Choose, CommandDeps } from './job.js';
import { addPassphraseOptions, passphraseFlags, type PassphraseOptions } from './passphrase-options.js';
import { usageError } from './usage.js';

export interface ShowOptions extends PassphraseOptions {
  readonly checksum?: boolean;
  readonly file?: boolean;
  readonly files?: boolean;
}

const examples = `
Examples:
  bkp show latest
  bkp show 20251030T1200 --files             what is in it, as ls -l lists it
  cp "$(bkp show latest --file)" /mnt/usb/
  bkp show /mnt/usb/site.zip --checksum`;

export function registerShow(program: Command, choose: Choose): Command {
  const command = program
    .command('show')
    .argument('<backup>', 'an id or its beginning, latest, latest:<schedule>, or a file')
    .description('Show what a backup says of itself; proves nothing but that it can be read.')
    .option('--checksum', 'the SHA-256 of the archive alone; computed where no .sha256 lies beside it')
    .option('--file', 'the path of the archive alone')
    .option('--files', 'list its content');
  return addPassphraseOptions(command)
    .addHelpText('after', examples)
    .action((reference: string, options: ShowOptions, command: Command) => {
      const globals = globalOptions(command);
      choose({ name: 'show', dryRun: false, globals, run: (deps) => runShow(reference, options, globals, deps) });
    });
}

async function runShow(
  reference: string,
  options: ShowOptions,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<ExitCode> {
  const { checksum, file: path, files } = options;
  const given = Object.entries({ checksum, file: path, files }).filter(([, on]) => on === true);
  if (given.length > 1) {
    const flags = given.map(([name]) => `--${name}`).join(' and ');
    throw usageError(`${flags} cannot be shown together`, 'Each of them is the whole answer: pass one.');
  }
  const { findPlace, namedBackup } = await import('./instance.js');
  const { warnUnfinished } = await import('./restore-warning.js');
  const place = await findPlace(globals, deps, passphraseFlags(options));
  const file = await namedBackup(reference, place, deps);
  warnUnfinished(place, deps);
  deps.output.render(await answer(file, options, place, globals, deps));
  return exitCodes.done;
}

async function answer(
  file: BackupFile,
  options: ShowOptions,
  place: Place,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<View> {
  const { backupId, operationDeps } = await import('./operation-deps.js');
  const { showValueView, showView } = await import('../ui/show-view.js');
  const exitCode = exitCodes.done;
  if (options.file === true) {
    return showValueView(file.location, undefined, { exitCode, durationMs: deps.elapsed() });
  }
  if (options.checksum === true) {
    const { archiveChecksum } = await import('../operations/archive-checksum.js');
    const checksum = await archiveChecksum(file, operationDeps(deps));
    return showValueView(file.location, checksum, { exitCode, durationMs: deps.elapsed() });
  }
  const { showBackup } = await import('../operations/show-backup.js');
  const { systemClock } = await import('../base/clock.js');
  const { runPassphrase } = await import('./run-passphrase.js');
  const result = await withCleanup((cleanup) => {
    const passphrase = runPassphrase(place, globals.json, deps, cleanup).ask;
    return showBackup({ file, withEntries: options.files === true, passphrase }, operationDeps(deps));
  });
  const end = { exitCode, durationMs: deps.elapsed() };
  return showView(result, backupId(file, result.manifest.id), systemClock.now(), end);
}
