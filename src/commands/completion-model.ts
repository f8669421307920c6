import type { Argument, Command, Option } from 'commander';
import { containers } from '../config/schema.js';
import type { CompletedCommand, CompletedOption, Completes } from '../ui/completion-model.js';

/** What is registered, for completion: taken from the commands themselves, so that it cannot say anything else. */
export function describeCommand(command: Command): CompletedCommand {
  const help: CompletedOption = { flags: ['-h', '--help'], about: 'show the help', value: undefined };
  return {
    names: [command.name(), ...command.aliases()],
    about: command.description(),
    options: [...command.options.filter(({ hidden }) => !hidden).map(describeOption), help],
    arguments: command.registeredArguments.map(describeArgument),
    commands: command.commands.map(describeCommand),
  };
}

function describeOption({ short, long, flags, description, argChoices }: Option): CompletedOption {
  const name = /[<[]([^>\]]+)[>\]]/.exec(flags)?.[1];
  const value = name === undefined ? undefined : { name, completes: argChoices ?? byName(name) };
  return { flags: [short, long].filter((flag) => flag !== undefined), about: description, value };
}

function describeArgument(argument: Argument): CompletedCommand['arguments'][number] {
  const name = argument.name();
  return { name, completes: argument.argChoices ?? byName(name), variadic: argument.variadic };
}

const digits = Array.from({ length: 10 }, (_, digit) => String(digit));

/** By how values are called in the help. */
const kinds: ReadonlyMap<string, Completes> = new Map<string, Completes>([
  ...['dir', 'folder'].map((name) => [name, 'folder'] as const),
  ...['file', 'file|-'].map((name) => [name, 'file'] as const),
  ...['backup', 'id', 'id,…'].map((name) => [name, 'backup'] as const),
  ...['name', 'schedule'].map((name) => [name, 'schedule'] as const),
  ['format', containers],
  ['0-9', digits],
]);

const byName = (name: string): Completes => kinds.get(name) ?? 'nothing';
