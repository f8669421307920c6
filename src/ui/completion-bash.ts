import { bashRuntime } from './completion-bash-runtime.js';
import type { CompletedCommand, Completes } from './completion-model.js';

/** A script for bash (3.2 and later), without bash-completion. */
export function bashCompletion(program: CompletedCommand): string {
  const all = withPaths(program, 'bkp');
  return [
    '# Completion of bkp for bash. In ~/.bashrc: source <(bkp completion bash)',
    '',
    '# What a command has: $1 is the command.',
    '__bkp_command() {',
    "  commands='' options='' arguments=''",
    '  case $1 in',
    ...all.map(({ path, command }) => `  ${quoted(path)}) ${assignments(command)} ;;`),
    '  esac',
    '}',
    '',
    '# What follows an option: $1 is the command, $2 the option.',
    '__bkp_value() {',
    "  value=''",
    '  case $1:$2 in',
    ...all.flatMap(({ path, command }) => valueCases(path, command)),
    '  esac',
    '}',
    '',
    '# The command that a word names: $1 is the command so far, $2 the word.',
    '__bkp_subcommand() {',
    "  next=''",
    '  case $1:$2 in',
    ...all.flatMap(({ path, command }) =>
      command.commands.map((one) => {
        const words = one.names.map((word) => quoted(`${path}:${word}`)).join(' | ');
        return `  ${words}) next=${quoted(`${path} ${one.names[0] ?? ''}`)} ;;`;
      }),
    ),
    '  esac',
    '}',
    bashRuntime,
  ].join('\n');
}

interface Placed {
  /** `bkp schedule set` */
  readonly path: string;
  readonly command: CompletedCommand;
}

function withPaths(command: CompletedCommand, path: string): readonly Placed[] {
  const below = command.commands.flatMap((one) => withPaths(one, `${path} ${one.names[0] ?? ''}`));
  return [{ path, command }, ...below];
}

function assignments({ commands, options, arguments: all }: CompletedCommand): string {
  const kinds = all.map(({ completes }) => kindWord(completes));
  // The last one is asked for again and again.
  const ending = all.at(-1)?.variadic === true ? [] : ['@nothing'];
  const words = [
    ['commands', commands.flatMap(({ names }) => names).join(' ')],
    ['options', options.flatMap(({ flags }) => flags).join(' ')],
    ['arguments', all.length === 0 ? '' : [...kinds, ...ending].join(' ')],
  ] as const;
  return words
    .filter(([, text]) => text !== '')
    .map(([variable, text]) => `${variable}=${quoted(text)}`)
    .join(' ');
}

function valueCases(path: string, { options }: CompletedCommand): readonly string[] {
  return options.flatMap(({ flags, value }) => {
    if (value === undefined) return [];
    const places = flags.map((flag) => quoted(`${path}:${flag}`)).join(' | ');
    return [`  ${places}) value=${quoted(kindWord(value.completes))} ;;`];
  });
}

/** One word: `@backup` is looked up, others are words to choose from, joined by commas. */
const kindWord = (completes: Completes): string =>
  typeof completes === 'string' ? `@${completes}` : completes.join(',');

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
