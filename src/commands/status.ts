import type { Command } from 'commander';
import type { ExitCode } from '../base/exit-codes.js';
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
  const { tellStatus } = await import('./tell-status.js');
  const { statusView } = await import('../ui/status-view.js');
  return tellStatus(await ageOf(options.maxAge), statusView, globals, deps);
}

async function ageOf(text: string | undefined): Promise<number | undefined> {
  if (text === undefined) return undefined;
  const { longestAge, parseDuration } = await import('../config/duration.js');
  const parsed = parseDuration(text, longestAge);
  if (parsed.ok && parsed.milliseconds > 0) return parsed.milliseconds;
  const says = parsed.ok ? 'must be longer than nothing' : parsed.says;
  throw usageError(`--max-age ${says}`, 'As in: bkp status --max-age 26h');
}
