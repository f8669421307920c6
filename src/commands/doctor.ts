import type { Command } from 'commander';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import { globalOptions, type GlobalOptions } from './global-options.js';
import type { Choose, CommandDeps } from './job.js';

const notes = `
Ends with 16 where something fails, with 0 where there are only warnings. Writes
nothing and opens no database.

Examples:
  bkp doctor     after an installation, or when a backup failed
  bkp doctor -q  only what is wrong
  bkp doctor --json | jq -r 'select(.verdict == "fail") | .message'`;

export function registerDoctor(program: Command, choose: Choose): Command {
  return program
    .command('doctor')
    .description('Check the surroundings: configuration, rights, space, cron, data that no source covers.')
    .addHelpText('after', notes)
    .action((_options: object, command: Command) => {
      const globals = globalOptions(command);
      choose({ name: 'doctor', dryRun: false, globals, run: (deps) => runDoctor(globals, deps) });
    });
}

async function runDoctor(globals: GlobalOptions, deps: CommandDeps): Promise<ExitCode> {
  const { findInstance } = await import('./doctor-instance.js');
  const { checkSurroundings, worst } = await import('../operations/check-surroundings.js');
  const { doctorView } = await import('../ui/doctor-view.js');
  const { systemClock } = await import('../base/clock.js');
  const { instance, checked: before } = await findInstance(globals, deps);
  const searchPath = deps.env['PATH'];
  const after = await checkSurroundings(instance, { clock: systemClock, signal: deps.signal, searchPath });
  const checked = [...before, ...after];
  const exitCode = worst(checked) === 'fail' ? exitCodes.unhealthy : exitCodes.done;
  const about = instance === undefined ? undefined : { ...instance, storage: instance.storage.location };
  deps.output.render(doctorView({ checked, instance: about }, { exitCode, durationMs: deps.elapsed() }));
  return exitCode;
}
