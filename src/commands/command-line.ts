import { Command, CommanderError } from 'commander';
import { BkpError } from '../base/errors.js';
import { exitCodes, exitMeanings, type ExitName } from '../base/exit-codes.js';
import type { Look } from '../ui/look.js';
import { helpLines } from '../ui/prose.js';
import { addGlobalOptions, globalOptions } from './global-options.js';
import type { Choose, Job } from './job.js';
import { refusePassphrase } from './passphrase-options.js';
import { readVersion } from './version.js';

/** What a command line asks for. */
export type CommandLine =
  | { readonly kind: 'job'; readonly job: Job }
  /** Help or the version: already written. */
  | { readonly kind: 'told' };

/** Understands the arguments. Rejects with `usage` where it cannot; writes only what `--help` and `--version` ask for. */
export async function parseCommandLine(
  args: readonly string[],
  write: (text: string) => void,
  look: HelpLook = { terminal: false, width: 80 },
): Promise<CommandLine> {
  let job: Job | undefined;
  const choose = (chosen: Job): void => {
    job = chosen;
  };
  const program = programWith(await registrationsFor(args), choose, { write, look });
  const [first, ...rest] = args;
  // commander's own `help` command ends as if no command had been given.
  const known = withChildren(program).flatMap((command) => [command.name(), ...command.aliases()]);
  const given = first === 'help' && rest.every((name) => known.includes(name)) ? [...rest, '--help'] : args;
  try {
    program.parse(given, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'told' };
    // What is left to be thrown is that there was no command.
    const { overviewJob } = await import('./overview.js');
    return { kind: 'job', job: overviewJob(globalOptions(program)) };
  }
  if (job === undefined) throw new TypeError('no command was run');
  return { kind: 'job', job };
}

type Register = (program: Command, choose: Choose) => Command;

/** In the order of the help. Each is loaded where it may be wanted: files of others would only be waited for. */
const commands: readonly (readonly [names: readonly string[], load: () => Promise<Register>])[] = [
  [['create', 'backup'], async () => (await import('./create.js')).registerCreate],
  [['list', 'ls'], async () => (await import('./list.js')).registerList],
  [['show'], async () => (await import('./show.js')).registerShow],
  [['verify'], async () => (await import('./verify.js')).registerVerify],
  [['restore'], async () => (await import('./restore.js')).registerRestore],
  [['lock'], async () => (await import('./lock.js')).registerLock],
  [['unlock'], async () => (await import('./lock.js')).registerUnlock],
  [['delete'], async () => (await import('./delete.js')).registerDelete],
  [['prune'], async () => (await import('./prune.js')).registerPrune],
  [['schedule'], async () => (await import('./schedule.js')).registerSchedule],
  [['status'], async () => (await import('./status.js')).registerStatus],
  [['log'], async () => (await import('./log.js')).registerLog],
  [['init'], async () => (await import('./init.js')).registerInit],
  [['doctor'], async () => (await import('./doctor.js')).registerDoctor],
  [['completion'], async () => (await import('./completion.js')).registerCompletion],
];

/** The one command that the first word names, which nothing else can mean; all, where another word comes first. */
function registrationsFor([first = '']: readonly string[]): Promise<readonly Register[]> {
  const [named] = commands.filter(([names]) => names.includes(first));
  // Completion is about all of them.
  const wanted = named === undefined || first === 'completion' ? commands : [named];
  return Promise.all(wanted.map(([, load]) => load()));
}

/** Where help is shown: on a terminal its lines are broken for it, elsewhere commander's are. */
type HelpLook = Pick<Look, 'terminal' | 'width'>;

interface HelpScreen {
  readonly write: (text: string) => void;
  readonly look: HelpLook;
}

function programWith(registrations: readonly Register[], choose: Choose, { write, look }: HelpScreen): Command {
  const program = new Command('bkp')
    .description(
      'Consistent, proven, single-file backups of applications that keep their data in SQLite files and folders.',
    )
    .usage('[options] <command>')
    .version(readVersion(), '--version', 'show the version')
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .addHelpText('after', `\n${exitCodeHelp()}`);
  for (const register of registrations) register(program, choose);
  for (const command of withChildren(program)) {
    addGlobalOptions(command);
    refusePassphrase(command);
    command
      .exitOverride((error) => {
        const isAlone = error.code === noCommand && command === program && command.args.length === 0;
        throw error.exitCode === 0 || isAlone ? error : usageOf(error, command);
      })
      // Errors are told where all errors are; without a command, the help says what there is.
      .configureOutput({
        writeOut: (text) => write(helpLines(text, look).join('\n')),
        writeErr: () => undefined,
        getOutHelpWidth: () => (look.terminal ? Infinity : 80),
      });
  }
  return program;
}

function withChildren(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withChildren)];
}

/** commander's code for a command that needs another one behind it, and got none. */
const noCommand = 'commander.help';

function usageOf(error: CommanderError, command: Command): BkpError {
  const help = `\`${fullName(command)} --help\``;
  if (error.code === noCommand)
    return new BkpError('usage', 'no command was given', { hint: `${help} shows what there is.` });
  const [message, ...more] = error.message
    .replace(/^error: /, '')
    .replace(
      /^command-argument value '(.*)' is invalid for argument '(.*)'\. Allowed choices are/,
      "'$1' is no $2; choose one of",
    )
    .split('\n');
  const suggestion = more.map((line) => line.replace(/^\((.*)\)$/, '$1')).join(' ');
  const hint = `${suggestion === '' ? '' : `${suggestion} `}${help} shows what there is.`;
  return new BkpError('usage', message ?? error.message, { hint });
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

function exitCodeHelp(): string {
  const names = Object.keys(exitCodes) as ExitName[];
  const lines = names.map((name) => `  ${String(exitCodes[name]).padStart(3)}  ${exitMeanings[name]}`);
  return ['Exit codes:', ...lines, '', '`bkp <command> --help` shows the options of a command, with examples.'].join(
    '\n',
  );
}
