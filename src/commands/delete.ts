import type { Command } from 'commander';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import { globalOptions, type GlobalOptions } from './global-options.js';
import type { Choose, CommandDeps } from './job.js';
import { collected, namesOf } from './usage.js';

export interface DeleteOptions {
  readonly confirm?: readonly string[];
}

const examples = `
Examples:
  bkp delete 20251030T120000Z-manual  on a terminal: asks for the id
  bkp delete latest --confirm 20251030T120000Z-manual
  bkp delete 20251030 20251101 --confirm 20251030T120000Z-manual,20251101T020000Z-daily`;

export function registerDelete(program: Command, choose: Choose): Command {
  return program
    .command('delete')
    .argument('<backup...>', 'ids or their beginnings, latest, latest:<schedule>, or files in the storage')
    .description(
      'Delete backups: all that are named, or none. Locked ones are refused; one that is missing is forgotten.',
    )
    .option('--confirm <id,…>', 'the full ids of what is named: delete without asking', collected)
    .addHelpText('after', examples)
    .action((references: readonly string[], options: DeleteOptions, command: Command) => {
      const globals = globalOptions(command);
      choose({ name: 'delete', dryRun: false, globals, run: (deps) => runDelete(references, options, globals, deps) });
    });
}

async function runDelete(
  references: readonly string[],
  options: DeleteOptions,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<ExitCode> {
  const { openInstance } = await import('./instance.js');
  const { operationDeps } = await import('./operation-deps.js');
  const { planDelete, deleteBackups } = await import('../operations/delete-backups.js');
  const { withHistory } = await import('./history.js');
  const { refuseReadOnly } = await import('../operations/read-only.js');
  const { confirmDelete } = await import('./delete-confirmation.js');
  const { deleteView } = await import('../ui/delete-view.js');
  const given = namesOf(options.confirm, '--confirm');
  const { config, storage } = await openInstance(globals, deps);
  refuseReadOnly('delete', config);
  const { instance, root, lockWait, noInput } = config;
  const request = { references, storage, instance, root, cwd: deps.cwd, lockWait };
  const result = await withHistory({ config, storage }, deps, async (catalog) => {
    const plan = await planDelete(request, deps.signal, catalog);
    await confirmDelete(plan, { given, json: globals.json, noInput }, deps);
    return deleteBackups(plan, operationDeps(deps), catalog);
  });
  const exitCode = exitCodes.done;
  deps.output.render(deleteView(result, { exitCode, durationMs: deps.elapsed() }));
  return exitCode;
}
