import type { Command } from 'commander';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import { globalOptions, type GlobalOptions } from './global-options.js';
import type { Choose, CommandDeps } from './job.js';

const lockExamples = `
Examples:
  bkp lock 20251030T120000Z-manual  never deleted; uses no slot of retention
  bkp lock latest
  bkp list --locked                 which are`;

const unlockExamples = `
Examples:
  bkp unlock 20251030T120000Z-manual`;

export function registerLock(program: Command, choose: Choose): Command {
  return register(program, choose, {
    name: 'lock',
    description: 'Keep backups from being deleted, by retention and by `bkp delete`.',
    examples: lockExamples,
  });
}

export function registerUnlock(program: Command, choose: Choose): Command {
  return register(program, choose, {
    name: 'unlock',
    description: 'Let backups be deleted again.',
    examples: unlockExamples,
  });
}

interface LockCommand {
  readonly name: 'lock' | 'unlock';
  readonly description: string;
  readonly examples: string;
}

function register(program: Command, choose: Choose, { name, description, examples }: LockCommand): Command {
  return program
    .command(name)
    .argument('<backup...>', 'ids or their beginnings, latest, latest:<schedule>, or files in the storage')
    .description(description)
    .addHelpText('after', examples)
    .action((references: readonly string[], _options: object, command: Command) => {
      const globals = globalOptions(command);
      choose({ name, dryRun: false, globals, run: (deps) => runLock(name, references, globals, deps) });
    });
}

async function runLock(
  name: 'lock' | 'unlock',
  references: readonly string[],
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<ExitCode> {
  const { openInstance } = await import('./instance.js');
  const { operationDeps } = await import('./operation-deps.js');
  const { lockBackups } = await import('../operations/lock-backups.js');
  const { refuseReadOnly } = await import('../operations/read-only.js');
  const { lockView } = await import('../ui/lock-view.js');
  const { config, storage } = await openInstance(globals, deps);
  refuseReadOnly(name, config);
  const { instance, lockWait } = config;
  const request = { references, storage, instance, cwd: deps.cwd, lockWait, locked: name === 'lock' };
  const backups = await lockBackups(request, operationDeps(deps));
  const exitCode = exitCodes.done;
  deps.output.render(lockView(name, backups, { exitCode, durationMs: deps.elapsed() }));
  return exitCode;
}
