import { placeFlags, type CompletedCommand, type CompletedOption, type Completes } from './completion-model.js';

/** A script for zsh: to be sourced after compinit, or as `_bkp` in a folder of `fpath`. */
export function zshCompletion(program: CompletedCommand): string {
  return [
    '#compdef bkp',
    '# Completion of bkp for zsh. In ~/.zshrc, after compinit: source <(bkp completion zsh)',
    lookups,
    '_bkp() {',
    '  local bkp_line=("${(@)words}")',
    '  __bkp_main',
    '}',
    ...functions(program, '__bkp_main'),
    '',
    'if [[ $funcstack[1] == _bkp ]]; then _bkp "$@"; else compdef _bkp bkp; fi',
    '',
  ].join('\n');
}

const lookups = String.raw`
# What bkp says to $1, for the place of the backups that the line names.
__bkp_ask() {
  local -a place
  local -i at
  for ((at = 2; at < $#bkp_line; at++)); do
    case $bkp_line[at] in
    ${placeFlags.join('|')}) place+=(\${(Q)bkp_line[at]} \${(Q)bkp_line[at+1]}) ;;
    --root=*|--config=*|--storage=*) place+=(\${(Q)bkp_line[at]}) ;;
    esac
  done
  \${(Q)bkp_line[1]} completion $1 $place 2>/dev/null
}

__bkp_backups() {
  local expl
  local -a found
  if [[ $PREFIX == (*/*|.*) ]]; then
    _files
  else
    found=(\${(f)"$(__bkp_ask --backups)"})
    _wanted -V backups expl backup compadd -a found
  fi
}

__bkp_schedules() {
  local expl
  local -a found
  found=(\${(f)"$(__bkp_ask --schedules)"})
  _wanted schedules expl schedule compadd -a found
}
`.replaceAll('\\$', '$');

/** One function a command; it calls those of the commands below it. */
function functions(command: CompletedCommand, path: string): readonly string[] {
  const { commands, options } = command;
  const specs = options.flatMap(optionSpecs);
  // `(-)`: what follows the command has options of its own.
  const own =
    commands.length === 0
      ? argumentsCall('-s -S', [...specs, ...command.arguments.map(argumentSpec)])
      : [
          '  local curcontext=$curcontext state line',
          '  typeset -A opt_args',
          ...argumentsCall('-C -s -S', [
            ...specs,
            quoted('(-):command:->command'),
            quoted('(-)*::argument:->argument'),
          ]),
          '  case $state in',
          '  command)',
          `    local -a all=(${commands.flatMap(described).join(' ')})`,
          '    _describe command all',
          '    ;;',
          '  argument)',
          '    case $words[1] in',
          ...commands.map((one) => `    ${one.names.join('|')}) ${pathBelow(path, one)} ;;`),
          '    esac',
          '    ;;',
          '  esac',
        ];
  return ['', `${path}() {`, ...own, '}', ...commands.flatMap((one) => functions(one, pathBelow(path, one)))];
}

const pathBelow = (path: string, { names: [name = ''] }: CompletedCommand): string =>
  `${path}_${name.replaceAll('-', '_')}`;

const argumentsCall = (flags: string, specs: readonly string[]): readonly string[] =>
  [`  _arguments ${flags}`, ...specs.map((spec) => `    ${spec}`)].map((line, at) =>
    at === specs.length ? line : `${line} \\`,
  );

const described = ({ names, about }: CompletedCommand): readonly string[] =>
  names.map((name) => quoted(`${escaped(name, ':')}:${about}`));

function optionSpecs({ flags, about, value }: CompletedOption): readonly string[] {
  const after = value === undefined ? '' : `:${escaped(value.name, ':')}:${action(value.completes)}`;
  // `=`: the value may be in the same word.
  const equals = (flag: string): string => (value !== undefined && flag.startsWith('--') ? '=' : '');
  return flags.map((flag) => quoted(`*${flag}${equals(flag)}[${escaped(about, '[]')}]${after}`));
}

const argumentSpec = ({ name, completes, variadic }: CompletedCommand['arguments'][number]): string =>
  quoted(`${variadic ? '*' : ''}:${escaped(name, ':')}:${action(completes)}`);

const actions = {
  folder: '_directories',
  file: '_files',
  backup: '__bkp_backups',
  schedule: '__bkp_schedules',
  nothing: ' ',
} as const satisfies Record<Extract<Completes, string>, string>;

const action = (completes: Completes): string =>
  typeof completes === 'string' ? actions[completes] : `(${completes.join(' ')})`;

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** With a backslash before each of these characters. */
const escaped = (text: string, characters: string): string =>
  text.replace(/[\\:[\]]/g, (one) => (one === '\\' || characters.includes(one) ? `\\${one}` : one));
