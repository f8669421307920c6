import type { Command } from 'commander';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import { globalOptions, type GlobalOptions } from './global-options.js';
import type { Choose, CommandDeps } from './job.js';
import { usageError } from './usage.js';

export interface StatusOptions {
  readonly maxAge?: string;
}

const examples = `
Examples:
  bkp status                ends with 16 where something is wrong
  bkp status --max-age 26h  also where a source has no backup as young as that
  bkp status -q || mail -s "backups of cms" admin@example.org </dev/null
  bkp status --json         for monitors`;

export function registerStatus(program: Command, choose: Choose): Command {
  return program
    .command('status')
    .description('Tell whether the backups of this instance are as they should be.')
    .option('--max-age <duration>', 'how old the newest complete backup of a source may be (26h, 8d)')
    .addHelpText('after', examples)
    .action((options: StatusOptions, command: Command) => {
      const globals = globalOptions(command);
      choose({ name: 'status', dryRun: false, globals, run: (deps) => runStatus(options, globals, deps) });
    });
}

async function runStatus(options: StatusOptions, globals: GlobalOptions, deps: CommandDeps): Promise<ExitCode> {
  const { openInstance, sameCall } = await import('./instance.js');
  const { operationDeps } = await import('./operation-deps.js');
  const { withCatalog } = await import('../operations/recorded-run.js');
  const { openScheduleStore } = await import('../operations/schedule-store.js');
  const { checkStatus } = await import('../operations/check-status.js');
  const { statusView } = await import('../ui/status-view.js');
  const { systemClock } = await import('../base/clock.js');
  const maxAge = await ageOf(options.maxAge);
  const { config, storage } = await openInstance(globals, deps);
  const { instance, root, sources } = config;
  const operation = operationDeps(deps);
  return withCatalog(storage, operation, async (catalog) => {
    const schedules = openScheduleStore({ configured: sources, storage, instance }, operation);
    const result = await checkStatus({ instance, root, sources, storage, schedules, catalog, maxAge }, operation);
    const exitCode = result.health.healthy ? exitCodes.done : exitCodes.unhealthy;
    const shown = { result, instance, storage: storage.location, now: systemClock.now(), call: sameCall(globals) };
    deps.output.render(statusView(shown, { exitCode, durationMs: deps.elapsed() }));
    return exitCode;
  });
}

async function ageOf(text: string | undefined): Promise<number | undefined> {
  if (text === undefined) return undefined;
  const { longestAge, parseDuration } = await import('../config/duration.js');
  const parsed = parseDuration(text, longestAge);
  if (parsed.ok && parsed.milliseconds > 0) return parsed.milliseconds;
  const says = parsed.ok ? 'must be longer than nothing' : parsed.says;
  throw usageError(`--max-age ${says}`, 'As in: bkp status --max-age 26h');
}
