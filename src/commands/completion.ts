import { Argument, Option, type Command } from 'commander';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import { globalOptions, type GlobalOptions } from './global-options.js';
import type { Choose, CommandDeps } from './job.js';
import { usageError } from './usage.js';

interface CompletionOptions {
  readonly backups?: boolean;
  readonly schedules?: boolean;
}

const notes = `
The script completes commands, options and their values, folders, files,
schedules, and backups by their ids.

Examples:
  source <(bkp completion bash)                   in ~/.bashrc
  source <(bkp completion zsh)                    in ~/.zshrc, after compinit
  bkp completion bash > /etc/bash_completion.d/bkp`;

export function registerCompletion(program: Command, choose: Choose): Command {
  return (
    program
      .command('completion')
      .addArgument(new Argument('[shell]', 'bash or zsh').choices(['bash', 'zsh']))
      .description('Print a script that completes command lines.')
      // What the scripts ask for.
      .addOption(new Option('--backups').hideHelp())
      .addOption(new Option('--schedules').hideHelp())
      .addHelpText('after', notes)
      .action((shell: string | undefined, options: CompletionOptions, command: Command) => {
        const globals = globalOptions(command);
        const run = (deps: CommandDeps): Promise<ExitCode> => runCompletion(shell, options, program, globals, deps);
        choose({ name: 'completion', dryRun: false, globals, run });
      })
  );
}

async function runCompletion(
  shell: string | undefined,
  options: CompletionOptions,
  program: Command,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<ExitCode> {
  const { completionView } = await import('../ui/completion-view.js');
  const text = await completionText(shell, options, program, globals, deps);
  const exitCode = exitCodes.done;
  deps.output.render(completionView(text, { exitCode, durationMs: deps.elapsed() }));
  return exitCode;
}

async function completionText(
  shell: string | undefined,
  { backups, schedules }: CompletionOptions,
  program: Command,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<string> {
  if (backups === true || schedules === true) {
    const { listReferences, listSchedules } = await import('./completion-lists.js');
    const lines = backups === true ? await listReferences(globals, deps) : await listSchedules(globals, deps);
    return lines.map((line) => `${line}\n`).join('');
  }
  const { describeCommand } = await import('./completion-model.js');
  if (shell === 'bash') return (await import('../ui/completion-bash.js')).bashCompletion(describeCommand(program));
  if (shell === 'zsh') return (await import('../ui/completion-zsh.js')).zshCompletion(describeCommand(program));
  throw usageError('no shell was named', 'Name one: bash or zsh.');
}
