import type { Command } from 'commander';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import { globalOptions, type GlobalOptions } from './global-options.js';
import type { Choose, CommandDeps } from './job.js';

export interface PruneOptions {
  readonly schedule?: string;
  readonly keepLast?: string;
  readonly keepHourly?: string;
  readonly keepDaily?: string;
  readonly keepWeekly?: string;
  readonly keepMonthly?: string;
  readonly keepYearly?: string;
  readonly dryRun?: boolean;
}

const examples = `
Examples:
  bkp prune --dry-run  keep or remove, and why, for every backup
  bkp prune            remove what no schedule keeps any longer
  bkp prune --schedule daily --keep-last 7 --keep-weekly 4 -n

Backups made by hand, safety backups, locked, damaged and foreign ones are never
removed by it, and the newest good one of each schedule stays. Safety backups of
more than 30 days go with the next restore in place.`;

export function registerPrune(program: Command, choose: Choose): Command {
  return program
    .command('prune')
    .description('Delete the backups of schedules that their retention no longer keeps.')
    .option('--schedule <name>', 'only the backups of this schedule')
    .option('--keep-last <n>', 'keep the newest n (these flags take the place of what the schedules say)')
    .option('--keep-hourly <n>', 'keep the newest of each of n hours')
    .option('--keep-daily <n>', 'keep the newest of each of n days')
    .option('--keep-weekly <n>', 'keep the newest of each of n weeks')
    .option('--keep-monthly <n>', 'keep the newest of each of n months')
    .option('--keep-yearly <n>', 'keep the newest of each of n years')
    .option('-n, --dry-run', 'show what would be kept and removed, remove nothing')
    .addHelpText('after', examples)
    .action((options: PruneOptions, command: Command) => {
      const globals = globalOptions(command);
      choose({
        name: 'prune',
        dryRun: options.dryRun === true,
        globals,
        run: (deps) => runPrune(options, globals, deps),
      });
    });
}

async function runPrune(options: PruneOptions, globals: GlobalOptions, deps: CommandDeps): Promise<ExitCode> {
  const { pruneRequest } = await import('./prune-arguments.js');
  const { openInstance } = await import('./instance.js');
  const { operationDeps } = await import('./operation-deps.js');
  const { planPrune, pruneBackups } = await import('../operations/prune-backups.js');
  const { withCatalog } = await import('../operations/recorded-run.js');
  const { refuseReadOnly } = await import('../operations/read-only.js');
  const { pruneView } = await import('../ui/prune-view.js');
  const { systemClock } = await import('../base/clock.js');
  const { config, storage } = await openInstance(globals, deps);
  refuseReadOnly('prune', config);
  const operation = operationDeps(deps);
  const dryRun = options.dryRun === true;
  return withCatalog(storage, operation, async (catalog) => {
    const request = await pruneRequest(options, { config, storage, catalog }, operation);
    const result = dryRun
      ? await planPrune(request, operation)
      : await pruneBackups(request, config.lockWait, operation, catalog);
    const exitCode = exitCodes.done;
    const pruned = { result, dryRun, storage: storage.location, now: systemClock.now() };
    deps.output.render(pruneView(pruned, { exitCode, durationMs: deps.elapsed() }));
    return exitCode;
  });
}
