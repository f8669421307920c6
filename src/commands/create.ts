import type { Command } from 'commander';
import { withCleanup } from '../base/cleanup.js';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import type { Catalog } from '../catalog/catalog.js';
import type { CreatePlan } from '../operations/plan-create.js';
import type { CreateArguments } from './create-arguments.js';
import { globalOptions, type GlobalOptions } from './global-options.js';
import type { Choose, CommandDeps } from './job.js';
import type { CreateRequest } from '../operations/create-request.js';
import type { MadeBackup } from './make-backup.js';
import { addPassphraseOptions, passphraseWords, type PassphraseOptions } from './passphrase-options.js';
import { collected } from './usage.js';

export interface CreateOptions extends PassphraseOptions {
  readonly format?: string;
  readonly level?: string;
  readonly databases?: boolean;
  readonly snapshots?: boolean;
  readonly uploads?: boolean;
  readonly withConfig?: boolean;
  readonly only?: readonly string[];
  readonly exclude?: readonly string[];
  readonly comment?: string;
  readonly encrypt?: boolean;
  readonly hint?: string;
  readonly output?: string;
  readonly dryRun?: boolean;
  readonly quickCheck?: boolean;
  readonly full?: boolean;
  readonly lock?: boolean;
  readonly schedule?: string;
  readonly prune?: boolean;
  readonly interactive?: boolean;
}

const examples = `
Examples:
  bkp create                                   everything that is turned on
  bkp create --no-uploads --comment "before the update"
  bkp create --only user.brain,uploads -l 9
  bkp create -o /mnt/usb/site.tar.gz           into a file of your own
  bkp create -o - | ssh host "cat > site.zip"  in one pass; verify it there
  bkp create --encrypt --passphrase-file /root/bkp.pass --hint "in the safe"
  bkp create --encrypt                         asks for the passphrase, twice
  bkp create --schedule daily                  what that schedule says, now
  bkp create --dry-run                         show what it would hold
  bkp create -i                                asks what it is to hold, and how`;

export function registerCreate(program: Command, choose: Choose): Command {
  const command = program
    .command('create')
    .alias('backup')
    .description('Make a backup: one archive, read back and compared before it gets its name.')
    .option('--format <format>', 'zip or tar.gz')
    .option('-l, --level <0-9>', '0 stores, 9 is smallest (default: 3)')
    .option('--databases', 'with the sources of scope databases, even where they are turned off')
    .option('--no-databases', 'without them')
    .option('--snapshots', 'with the sources of scope snapshots')
    .option('--no-snapshots', 'without them')
    .option('--uploads', 'with the sources of scope uploads')
    .option('--no-uploads', 'without them')
    .option('--with-config', 'with the sources of scope config (they hold secrets)')
    .option('--only <source,…>', 'exactly these sources', collected)
    .option('--exclude <glob>', 'leave out what matches source/path (repeatable)', collected)
    .option('--comment <text>', 'a line to remember it by')
    .option('-o, --output <file>', 'into this file, whose ending (.zip, .tar.gz, .tgz) sets the format; - streams')
    .option('-n, --dry-run', 'show what would be backed up, write nothing')
    .option('-i, --interactive', 'ask what it is to hold, its format, and whether to encrypt it')
    .option('--full', 'take nothing over from the backup before: read and compress every file anew')
    .option('--quick-check', 'read back the bytes of the archive only, not every file')
    .option('--encrypt', 'AES-256, zip only: 7-Zip and WinZip open it')
    .option('--no-encrypt', 'not, although the configuration turns it on')
    .option('--hint <text>', 'where the passphrase is kept; can be read without it')
    .option('--lock', 'lock it: it is not deleted before it is unlocked')
    .option(
      '--schedule <name>',
      'as this schedule says, now: for cron; fills its slot and removes what it no longer keeps',
    )
    .option('--no-prune', 'with --schedule: remove nothing');
  return addPassphraseOptions(command)
    .addHelpText('after', examples)
    .action((options: CreateOptions, command: Command) => {
      const globals = globalOptions(command);
      choose({
        name: 'create',
        dryRun: options.dryRun === true,
        globals,
        run: (deps) => runCreate(options, globals, deps),
      });
    });
}

async function runCreate(options: CreateOptions, globals: GlobalOptions, deps: CommandDeps): Promise<ExitCode> {
  const { createArguments } = await import('./create-arguments.js');
  const { sameCall } = await import('./instance.js');
  const { operationDeps } = await import('./operation-deps.js');
  const { createPlanView, createView } = await import('../ui/create-view.js');
  const { refuseUnfinished } = await import('../operations/unfinished-restore.js');
  const said = await createArguments(options, globals, deps);
  if (options.interactive === true) {
    const { askCreate } = await import('./create-questions.js');
    return runCreate(await askCreate(said, options, globals, deps), globals, deps);
  }
  const { request, encryption } = said;
  refuseUnfinished(request.root);
  if (options.dryRun === true) {
    const { planCreate } = await import('../operations/plan-create.js');
    const plan = planCreate(request, operationDeps(deps));
    const exitCode = planExit(plan);
    const encrypted = encryption !== undefined;
    deps.output.render(createPlanView(plan, { request, encrypted }, { exitCode, durationMs: deps.elapsed() }));
    return exitCode;
  }
  const result = await create(said, options, globals, deps);
  const { exitCode } = result;
  const unlocking = encryption === undefined ? '' : passphraseWords(options);
  const call = { again: sameCall(globals), unlocking, heldBy: await heldBy(said) };
  deps.output.render(createView(result, request, call, { exitCode, durationMs: deps.elapsed() }));
  return exitCode;
}

/** A file of `--output` that lies in what is backed up. */
async function heldBy({ request: { destination }, instance }: CreateArguments): Promise<string | undefined> {
  if (destination.kind !== 'file') return undefined;
  const { holdingSource } = await import('../operations/holding-source.js');
  const { config, storage } = instance;
  return holdingSource(destination.path, config.sources, config.exclude, storage);
}

async function create(
  { request, encryption, instance, scheduled }: CreateArguments,
  options: CreateOptions,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<MadeBackup> {
  const { makeBackup, prepareScheduled } = await import('./make-backup.js');
  const { runPassphrase } = await import('./run-passphrase.js');
  const { operationDeps } = await import('./operation-deps.js');
  const { withCatalog } = await import('../operations/recorded-run.js');
  const { config, storage } = instance;
  const operation = operationDeps(deps);
  return withCleanup(async (cleanup) => {
    const passphrase = runPassphrase(instance, globals.json, deps, cleanup);
    const unlock = async (): Promise<Pick<CreateRequest, 'encryption'>> =>
      encryption === undefined ? {} : { encryption: await passphrase.forNew(encryption.hint) };
    const secret = await (scheduled === undefined ? unlock() : prepareScheduled(config, operation, unlock));
    const make = (catalog?: Catalog): Promise<MadeBackup> => {
      const extras = { config, storage, catalog, locked: options.lock === true };
      const more = scheduled === undefined ? {} : { scheduled };
      return makeBackup({ ...request, ...secret }, { ...extras, ...more }, operation);
    };
    // Only what goes into the storage is a run of its history.
    return request.destination.kind === 'storage' ? withCatalog(storage, operation, make) : make();
  });
}

/** What the backup itself would end with. */
function planExit({ sources, findings }: CreatePlan): ExitCode {
  if (sources.length === 0) return exitCodes.failed;
  return findings.some(({ kind }) => kind === 'loss') ? exitCodes.incomplete : exitCodes.done;
}
