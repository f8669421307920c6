import type { Command } from 'commander';
import { never } from '../base/errors.js';
import type { ExitCode } from '../base/exit-codes.js';
import { globalOptions, type GlobalOptions } from './global-options.js';
import type { Choose, CommandDeps } from './job.js';
import { addPassphraseOptions } from './passphrase-options.js';
import type { RestoreOptions } from './restore-options.js';
import { collected } from './usage.js';

const notes = `
In place, everything is staged and proven first; then the databases are locked,
a safety backup of what is there is made, and all is swapped. What no copy is
proven to hold is kept aside and named. Stop the application before that: a
database that it has open ends the restore with 15, and nothing was touched.

Without a backup, on a terminal, it asks for all that: which backup, what of it,
and then for its id as ever. Esc and Ctrl-C leave everything as it is.

Examples:
  bkp restore                   asks; never with --no-input, --json or a pipe
  bkp restore latest --dry-run  what would change (-v: every path)
  bkp restore latest            in place, once its id was typed
  bkp restore 20251030T1200 --confirm 20251030T120000Z-daily
  bkp restore latest --only uploads --owner www-data:www-data
  bkp restore --undo            put back what the last restore replaced
  bkp restore --recover         finish or undo a restore that was killed
  bkp restore latest --target /tmp/site
                                into a folder that is empty or does not exist
  bkp restore /mnt/usb/site.zip --only user.brain --target /tmp/look`;

export function registerRestore(program: Command, choose: Choose): Command {
  const command = program
    .command('restore')
    .argument('[backup]', 'an id or its beginning, latest, latest:<schedule>, or a file')
    .description('Put a backup back: in place of what is there, or into an empty folder. All of it or nothing.')
    .option('--target <dir>', 'into this folder: empty, or not there yet (default: in place)')
    .option('-n, --dry-run', 'show what would be done, write nothing')
    .option('--only <source,…>', 'exactly these sources', collected)
    .option('--path <glob>', 'in place: only files that match source/path, beside those that are there', collected)
    .option('--confirm <id>', 'in place: the id of the backup, in place of typing it')
    .option(
      '--owner <who>',
      'in place: target (of what is replaced; default), archive or user:group; with --target: archive (default for root) or self',
    )
    .option('--no-safety-backup', 'in place: make no copy of what is there now; the old files are kept aside')
    .option('--undo', 'put the newest safety backup back in place')
    .option('--recover', 'finish or undo a restore in place that was interrupted')
    .option('--allow-unverified', 'take an archive without checksums')
    .option('--allow-repacked', 'accept a container remade by another tool, if all contents are proven');
  return addPassphraseOptions(command)
    .addHelpText('after', notes)
    .action((reference: string | undefined, options: RestoreOptions, command: Command) => {
      const globals = globalOptions(command);
      const dryRun = options.dryRun === true;
      choose({ name: 'restore', dryRun, globals, run: (deps) => runRestore(reference, options, globals, deps) });
    });
}

async function runRestore(
  reference: string | undefined,
  options: RestoreOptions,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<ExitCode> {
  const { restoreTask } = await import('./restore-options.js');
  const task = restoreTask(reference, options);
  switch (task.kind) {
    case 'recover':
      return (await import('./restore-recover.js')).recover(globals, deps);
    case 'elsewhere':
      return (await import('./restore-elsewhere.js')).restoreElsewhere(task, globals, deps);
    case 'in-place':
      return (await import('./restore-in-place.js')).restoreHere(task, globals, deps);
    default:
      return never(task);
  }
}
