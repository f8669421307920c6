import { Option, type Command } from 'commander';
import { resolve } from 'node:path';
import { withCleanup } from '../base/cleanup.js';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import type { Finding } from '../manifest/findings.js';
import type { RestoreRequest } from '../operations/plan-restore.js';
import type { View } from '../ui/output.js';
import { globalOptions, type GlobalOptions } from './global-options.js';
import type { Choose, CommandDeps } from './job.js';
import { collected, namesOf, usageError } from './usage.js';

export interface RestoreOptions {
  readonly target?: string;
  readonly dryRun?: boolean;
  readonly only?: readonly string[];
  readonly owner?: 'archive' | 'self';
  readonly allowUnverified?: boolean;
  readonly allowRepacked?: boolean;
}

const examples = `
Examples:
  bkp restore latest --target /tmp/site           into a folder that is empty or does not exist
  bkp restore latest --dry-run                    show what would be written where
  bkp restore /mnt/usb/site.zip --only user.brain --target /tmp/look`;

export function registerRestore(program: Command, choose: Choose): Command {
  return program
    .command('restore')
    .argument('[backup]', 'an id or its beginning, latest, latest:<schedule>, or a file')
    .description('Put a backup into an empty folder: every file is compared before anything is at its place.')
    .option('--target <dir>', 'the folder: empty, or not there yet')
    .option('-n, --dry-run', 'show what would be done, write nothing')
    .option('--only <source,…>', 'exactly these sources', collected)
    .addOption(
      new Option(
        '--owner <who>',
        'archive: owners as recorded (needs root); self: yours (default: archive for root)',
      ).choices(['archive', 'self']),
    )
    .option('--allow-unverified', 'take an archive without checksums')
    .option('--allow-repacked', 'accept a container remade by another tool, if all contents are proven')
    .addHelpText('after', examples)
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
  if (reference === undefined) {
    throw usageError('no backup is named', 'Pass an id, latest, or a file; `bkp list` shows what is there.');
  }
  if (options.target === undefined && options.dryRun !== true) {
    throw usageError(
      'restoring in place is not part of this version: --target is missing',
      'Pass --target with a folder that is empty or does not exist, or --dry-run to see what would be written.',
    );
  }
  const request = await restoreRequest(reference, options, globals, deps);
  const { view, exitCode } = await restore(request, options.dryRun === true, globals, deps);
  deps.output.render(view);
  return exitCode;
}

async function restoreRequest(
  reference: string,
  options: RestoreOptions,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<RestoreRequest> {
  const { findPlace, namedBackup } = await import('./instance.js');
  const { pathFault } = await import('../config/path-rules.js');
  const fault = options.target === undefined ? undefined : pathFault(options.target);
  if (fault !== undefined) throw usageError(`--target ${fault}`, 'Pass a folder that is empty or does not exist.');
  const only = namesOf(options.only, '--only');
  const isRoot = process.geteuid?.() === 0;
  return {
    file: await namedBackup(reference, await findPlace(globals, deps), deps),
    target: options.target === undefined ? undefined : resolve(deps.cwd, options.target),
    only,
    allowUnverified: options.allowUnverified === true,
    allowRepacked: options.allowRepacked === true,
    owner: options.owner ?? (isRoot ? 'archive' : 'self'),
  };
}

interface Done {
  readonly view: View;
  readonly exitCode: ExitCode;
}

async function restore(
  request: RestoreRequest,
  dryRun: boolean,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<Done> {
  const { sameCall } = await import('./instance.js');
  const { backupId, operationDeps } = await import('./operation-deps.js');
  const { planRestore } = await import('../operations/plan-restore.js');
  const { restorePlanView, restoreView } = await import('../ui/restore-view.js');
  const { target, file } = request;
  const operation = operationDeps(deps);
  return withCleanup(async (cleanup) => {
    const plan = await planRestore(request, operation, cleanup);
    const restored = { plan, id: backupId(file, plan.manifest.id), again: sameCall(globals) };
    if (dryRun || target === undefined) {
      const exitCode = exitOf(plan.findings);
      return { exitCode, view: restorePlanView(restored, { exitCode, durationMs: deps.elapsed() }) };
    }
    const { restoreToTarget } = await import('../operations/execute-restore.js');
    const result = await restoreToTarget({ ...plan, target }, operation);
    const exitCode = exitOf(result.findings);
    return { exitCode, view: restoreView(restored, result, { exitCode, durationMs: deps.elapsed() }) };
  });
}

/** What the archive lacks, the restore lacks. */
const exitOf = (findings: readonly Finding[]): ExitCode =>
  findings.some(({ kind }) => kind === 'loss') ? exitCodes.incomplete : exitCodes.done;
