import { BkpError } from '../base/errors.js';
import type { ExitCode } from '../base/exit-codes.js';
import type { GlobalOptions } from './global-options.js';
import type { CommandDeps, Job } from './job.js';

/** `bkp` alone: how things are, and what to do next. For programs it is `bkp status`. */
export const overviewJob = (globals: GlobalOptions): Job => ({
  name: 'status',
  dryRun: false,
  globals,
  run: (deps) => runOverview(globals, deps),
});

async function runOverview(globals: GlobalOptions, deps: CommandDeps): Promise<ExitCode> {
  const { tellStatus } = await import('./tell-status.js');
  const { overviewView } = await import('../ui/overview-view.js');
  try {
    return await tellStatus(undefined, overviewView, globals, deps);
  } catch (error) {
    const isNamed = globals.root !== undefined || (deps.env['BKP_ROOT'] ?? '') !== '';
    if (!(error instanceof BkpError) || error.id !== 'root-not-found' || isNamed) throw error;
    throw new BkpError('root-not-found', `no command was given, and no application was found in ${deps.cwd} or above`, {
      cause: error,
      hint:
        'In the folder of an application, `bkp init` looks at it and writes a configuration; `bkp -C <folder>` goes ' +
        'there. `bkp --help` shows all commands.',
    });
  }
}
