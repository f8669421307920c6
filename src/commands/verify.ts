import type { Command } from 'commander';
import { withCleanup } from '../base/cleanup.js';
import { BkpError } from '../base/errors.js';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import type { BackupFile } from '../operations/backup-file.js';
import type { VerifyRecord } from '../operations/recorded-verify.js';
import type { Verified } from '../ui/verify-view.js';
import { globalOptions, type GlobalOptions } from './global-options.js';
import type { Place } from './instance.js';
import type { Choose, CommandDeps } from './job.js';
import { addPassphraseOptions, passphraseFlags, type PassphraseOptions } from './passphrase-options.js';
import type { RunPassphrase } from './run-passphrase.js';
import { usageError } from './usage.js';

export interface VerifyOptions extends PassphraseOptions {
  readonly all?: boolean;
  readonly quick?: boolean;
  readonly allowRepacked?: boolean;
}

const examples = `
Examples:
  bkp verify                          the latest backup
  bkp verify --all                    all of this instance
  bkp verify 20251030T1200 latest:daily
  bkp verify --quick /mnt/usb/*.zip`;

export function registerVerify(program: Command, choose: Choose): Command {
  const command = program
    .command('verify')
    .argument('[backup...]', 'ids or their beginnings, latest, latest:<schedule>, or files (default: latest)')
    .description(
      'Prove backups good: checksum, structure, every file, every database. All are looked at; the worst decides.',
    )
    .option('--all', 'all backups of this instance')
    .option('--quick', 'the container and its checksums only, not every file')
    .option('--allow-repacked', 'accept a container remade by another tool, if all contents are proven');
  return addPassphraseOptions(command)
    .addHelpText('after', examples)
    .action((references: readonly string[], options: VerifyOptions, command: Command) => {
      const globals = globalOptions(command);
      choose({ name: 'verify', dryRun: false, globals, run: (deps) => runVerify(references, options, globals, deps) });
    });
}

async function runVerify(
  references: readonly string[],
  options: VerifyOptions,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<ExitCode> {
  if (options.all === true && references.length > 0) {
    throw usageError('--all and named backups contradict each other', 'Pass --all, or name backups.');
  }
  const { sameCall } = await import('./instance.js');
  const { verifiedView, verifySummaryView } = await import('../ui/verify-view.js');
  const flags = passphraseFlags(options);
  const { files, leftOut, place } =
    options.all === true
      ? await allBackups(flags, globals, deps)
      : await namedBackups(references, flags, globals, deps);
  const { withHistory } = await import('./history.js');
  const all = await withCleanup(async (cleanup) => {
    const { runPassphrase } = await import('./run-passphrase.js');
    const passphrase = runPassphrase(place, globals.json, deps, cleanup);
    return withHistory(place, deps, async (catalog) => {
      const record = { catalog, instance: place.config?.instance };
      const done: Verified[] = [];
      for (const file of files) {
        const verified = await verifyOne({ file, alone: files.length === 1, passphrase, record }, options, deps);
        deps.output.render(
          verifiedView(verified, { quick: options.quick === true, again: sameCall(globals), before: done }),
        );
        done.push(verified);
      }
      return done;
    });
  });
  const exitCode = worst(all);
  const end = { exitCode, durationMs: deps.elapsed() };
  deps.output.render(verifySummaryView(all, options.quick === true, leftOut, end));
  return exitCode;
}

interface ToVerify {
  readonly files: readonly BackupFile[];
  /** Backups of other instances that were not asked for. */
  readonly leftOut: number;
  readonly place: Place;
}

async function allBackups(flags: PassphraseOptions, globals: GlobalOptions, deps: CommandDeps): Promise<ToVerify> {
  const { findStorage } = await import('./instance.js');
  const { listBackups } = await import('../operations/list-backups.js');
  const { storedBackup } = await import('../operations/backup-file.js');
  const { warnUnfinished } = await import('./restore-warning.js');
  const place = await findStorage(globals, deps, flags);
  const { config, storage } = place;
  warnUnfinished(place, deps);
  const listed = await listBackups(storage, config?.instance, deps.signal);
  const own = listed.filter(({ foreign }) => !foreign);
  if (own.length === 0) {
    throw new BkpError('backup-not-found', `there is no backup of this instance in ${storage.location}`, {
      hint: '`bkp create` makes one; `bkp list --all` shows those of other instances.',
    });
  }
  const leftOut = listed.length - own.length;
  return { files: own.map(({ name }) => storedBackup(storage, name)), leftOut, place };
}

/** All are found before the first is verified: a typing error is told at once. */
async function namedBackups(
  references: readonly string[],
  flags: PassphraseOptions,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<ToVerify> {
  const { findPlace, findStorage, namedBackup } = await import('./instance.js');
  const { warnUnfinished } = await import('./restore-warning.js');
  const find = references.length === 0 ? findStorage : findPlace;
  const place = await find(globals, deps, flags);
  warnUnfinished(place, deps);
  const files: BackupFile[] = [];
  for (const reference of references.length === 0 ? ['latest'] : references) {
    files.push(await namedBackup(reference, place, deps));
  }
  return { files, leftOut: 0, place };
}

interface OneOfSeveral {
  readonly file: BackupFile;
  readonly alone: boolean;
  readonly passphrase: RunPassphrase;
  readonly record: VerifyRecord;
}

/** Of several, one that cannot be had does not keep the others from being looked at. */
async function verifyOne(
  { file, alone, passphrase, record }: OneOfSeveral,
  options: VerifyOptions,
  deps: CommandDeps,
): Promise<Verified> {
  const { recordedVerify, verdictExit } = await import('../operations/recorded-verify.js');
  const { backupId, operationDeps } = await import('./operation-deps.js');
  const { quick, allowRepacked } = options;
  const request = {
    file,
    quick: quick === true,
    allowRepacked: allowRepacked === true,
    passphrase: passphrase.ask,
  };
  try {
    // What lies elsewhere is no part of the storage's history.
    const known = file.storage === undefined ? { ...record, catalog: undefined } : record;
    const result = await recordedVerify(request, known, operationDeps(deps));
    const id = backupId(file, result.manifest?.id);
    return { kind: 'result', id, exitCode: verdictExit(result.verdict), result };
  } catch (error) {
    // Ctrl-C at the question is meant for all of them.
    if (alone || deps.signal.aborted || !(error instanceof BkpError) || error.id === 'interrupted') throw error;
    return { kind: 'failed', id: backupId(file, undefined), file: file.location, error };
  }
}

/** Damage before what could not be looked at, that before what is incomplete. */
function worst(all: readonly Verified[]): ExitCode {
  const codes = new Set(all.map((one) => (one.kind === 'result' ? one.exitCode : undefined)));
  if (codes.has(exitCodes.damaged)) return exitCodes.damaged;
  const failed = all.find((one) => one.kind === 'failed');
  if (failed !== undefined) return failed.error.exitCode;
  return codes.has(exitCodes.incomplete) ? exitCodes.incomplete : exitCodes.done;
}
