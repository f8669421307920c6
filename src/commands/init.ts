import type { Command } from 'commander';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import { globalOptions, type GlobalOptions } from './global-options.js';
import type { Choose, CommandDeps } from './job.js';

export interface InitOptions {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

const notes = `
Looks for SQLite files (by their first bytes; no database is opened) and for
folders of data, and knows the layouts of the CMS, PocketBase, Vaultwarden,
Ghost, Rails, Uptime Kuma and Gitea. Shows the file before it is written; never
overwrites one.

Examples:
  bkp init  in the folder of an application; asks before it writes
  bkp init /srv/vaultwarden --yes
  bkp init --storage /mnt/backup/site  archives on another disk
  bkp init --dry-run                   show the file, write nothing`;

export function registerInit(program: Command, choose: Choose): Command {
  return program
    .command('init')
    .argument('[folder]', 'folder of the application (default: the working folder)')
    .description('Look at a folder and write a commented configuration for what is found in it.')
    .option('-y, --yes', 'write without asking')
    .option('-n, --dry-run', 'show what would be written, write nothing')
    .addHelpText('after', notes)
    .action((folder: string | undefined, options: InitOptions, command: Command) => {
      const globals = globalOptions(command);
      const dryRun = options.dryRun === true;
      choose({ name: 'init', dryRun, globals, run: (deps) => runInit(folder, options, globals, deps) });
    });
}

async function runInit(
  folder: string | undefined,
  options: InitOptions,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<ExitCode> {
  const { initRequest } = await import('./init-request.js');
  const { planInit } = await import('./init-plan.js');
  const { confirmInit } = await import('./init-confirmation.js');
  const { initPlanView, initView } = await import('../ui/init-view.js');
  const request = await initRequest(folder, globals, deps);
  const plan = await planInit(request, deps);
  const dryRun = options.dryRun === true;
  const exitCode = exitCodes.done;
  if (dryRun) deps.output.render(initPlanView(plan, 'answer'));
  else {
    const given = options.yes === true;
    await confirmInit(plan, { given, json: globals.json, noInput: request.noInput }, deps);
    const { writeInitFile } = await import('./init-file.js');
    await writeInitFile(plan);
  }
  deps.output.render(initView(plan, request.again, { dryRun, exitCode, durationMs: deps.elapsed() }));
  return exitCode;
}
