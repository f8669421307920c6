import type { Container } from '../archive/archive.js';
import type { CreateRequest } from '../operations/create-request.js';
import { planCreate } from '../operations/plan-create.js';
import { refuseUnfinished } from '../operations/unfinished-restore.js';
import { chooseOne, chooseSome } from '../ui/choose.js';
import type { ChosenSource } from '../ui/choose-some.js';
import { shownName } from '../ui/display.js';
import { cutTo } from '../ui/table.js';
import type { CreateOptions } from './create.js';
import type { CreateArguments } from './create-arguments.js';
import type { GlobalOptions } from './global-options.js';
import type { CommandDeps } from './job.js';
import { mayAsk } from './may-ask.js';
import { operationDeps } from './operation-deps.js';
import { usageError } from './usage.js';

/**
 * Asks what a backup is to hold, in which format, and whether it is to be encrypted: gives the flags that say the same.
 * What `options` say of the sources is where it begins; of format and encryption, that is not asked.
 */
export async function askCreate(
  { request, encryption, instance }: CreateArguments,
  options: CreateOptions,
  globals: GlobalOptions,
  deps: CommandDeps,
): Promise<CreateOptions> {
  if (!deps.stdout.isTerminal || !mayAsk(globals.json, instance.noInput)) {
    throw usageError(
      '--interactive needs a terminal, and may not be used with --no-input or --json',
      'Leave it out, and say it with --only, --format and --encrypt.',
    );
  }
  refuseUnfinished(request.root);
  const only = await askSources(request, instance.config.sources, deps);
  const isTar = (options.format ?? options.output) !== undefined && request.destination.container === 'tar.gz';
  const encrypt = options.encrypt ?? (!isTar && (await askEncryption(encryption !== undefined, deps)));
  const said = options.format ?? options.output;
  const format = said === undefined ? { format: encrypt ? 'zip' : await askFormat(request, deps) } : {};
  return { ...withoutAsked(options, encrypt), only, encrypt, ...format };
}

/** What the answers say now. */
const answered = ['interactive', 'databases', 'snapshots', 'uploads', 'withConfig'] as const;
/** What contradicts a backup that is not encrypted. */
const ofEncryption = ['hint', 'passphraseFile', 'passphraseCommand'] as const;

function withoutAsked(options: CreateOptions, encrypt: boolean): CreateOptions {
  const dropped = new Set<string>(encrypt ? answered : [...answered, ...ofEncryption]);
  return Object.fromEntries(Object.entries(options).filter(([name]) => !dropped.has(name)));
}

async function askSources(
  request: CreateRequest,
  configured: CreateRequest['sources'],
  deps: CommandDeps,
): Promise<readonly string[]> {
  const all = { ...request, sources: configured, others: [], leftOut: [] };
  const planned = new Map(planCreate(all, operationDeps(deps)).sources.map((source) => [source.name, source]));
  const selected = new Set(request.sources.map(({ name }) => name));
  const sources = configured.map(({ name, scope }): ChosenSource => {
    const { files, bytes } = planned.get(name) ?? {};
    const note = files === undefined ? 'not there' : scope === 'config' ? 'may hold secrets' : '';
    return { name, scope, files, bytes, on: selected.has(name), note };
  });
  return chooseSome({ question: `What of ${shownName(request.instance)} is to be backed up?`, sources }, deps);
}

async function askEncryption(isUsual: boolean, deps: CommandDeps): Promise<boolean> {
  const choices = [
    { name: 'no', about: 'whoever has the file can read it' },
    { name: 'yes', about: 'AES-256, in a zip; a passphrase opens it, and nothing else does' },
  ] as const;
  return (await askChoice('Encrypt it?', choices, isUsual ? 'yes' : 'no', deps)) === 'yes';
}

const askFormat = ({ destination }: CreateRequest, deps: CommandDeps): Promise<Container> =>
  askChoice(
    'In which format?',
    [
      { name: 'zip', about: 'opened by a click everywhere' },
      { name: 'tar.gz', about: 'keeps links, owners and times for every tool of Unix' },
    ],
    destination.container,
    deps,
  );

async function askChoice<Name extends string>(
  question: string,
  choices: readonly { readonly name: Name; readonly about: string }[],
  usual: Name,
  deps: CommandDeps,
): Promise<Name> {
  const names = choices.map(({ name }) => name);
  const table = (width: number): readonly string[] => [
    '',
    ...choices.map(({ name, about }, at) => cutTo(`${at + 1}  ${name.padEnd(6)}  ${about}`, width)),
  ];
  const tell = (at: number): string => `${question} ${names[at] ?? ''}`;
  const start = Math.max(0, names.indexOf(usual));
  const at = await chooseOne({ question, names, called: 'a word', table, start, tell }, deps);
  return names[at] ?? usual;
}
