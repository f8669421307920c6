import { InvalidArgumentError, type Command } from 'commander';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import { globalOptions, type GlobalOptions } from './global-options.js';
import type { Choose, CommandDeps } from './job.js';
import { usageError } from './usage.js';

export interface LogOptions {
  readonly list?: boolean;
  readonly schedule?: string;
  readonly limit?: number;
}

const examples = `
Examples:
  bkp log                     the steps and findings of the latest run
  bkp log 41                  of run 41
  bkp log --list              the last runs, with their numbers
  bkp log --list --schedule daily --limit 100

What ran is remembered in catalog.db in the storage; deleting that loses history
and nothing else.`;

export function registerLog(program: Command, choose: Choose): Command {
  return program
    .command('log')
    .argument('[run]', 'the number of a run (default: the latest)')
    .description('Show what a run did, step by step.')
    .option('--list', 'the last runs instead of one')
    .option('--schedule <name>', 'with --list: only those of this schedule')
    .option('--limit <n>', 'with --list: so many (default 20)', count)
    .addHelpText('after', examples)
    .action((run: string | undefined, options: LogOptions, command: Command) => {
      const globals = globalOptions(command);
      choose({ name: 'log', dryRun: false, globals, run: (deps) => runLog(run, options, globals, deps) });
    });
}

function count(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1.');
}

const defaultLimit = 20;

async function runLog(
  named: string | undefined,
  options: LogOptions,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<ExitCode> {
  if (named !== undefined && !/^[1-9]\d{0,14}$/.test(named)) {
    throw usageError(`${named} is not the number of a run`, '`bkp log --list` shows the runs with their numbers.');
  }
  if (named !== undefined && options.list === true) {
    throw usageError('--list and the number of a run contradict each other', 'Pass one of them.');
  }
  const { findStorage } = await import('./instance.js');
  const { operationDeps } = await import('./operation-deps.js');
  const { withCatalog } = await import('../operations/recorded-run.js');
  const { findRun, lastRuns } = await import('../operations/find-run.js');
  const { runListView } = await import('../ui/run-list-view.js');
  const { runView } = await import('../ui/run-view.js');
  const { config, storage } = await findStorage(globals, deps);
  const instance = config?.instance;
  const { list, schedule, limit = defaultLimit } = options;
  return withCatalog(storage, operationDeps(deps), (catalog) => {
    const exitCode = exitCodes.done;
    const end = { exitCode, durationMs: deps.elapsed() };
    const view =
      list === true
        ? runListView(lastRuns(catalog, { instance, schedule, limit }, storage.location), storage.location, end)
        : runView(findRun(catalog, named === undefined ? 'latest' : Number(named), storage.location), end);
    deps.output.render(view);
    return Promise.resolve(exitCode);
  });
}
