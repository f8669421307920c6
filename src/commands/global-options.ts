import { Option, type Command } from 'commander';

/** What every command takes, before or after its name. */
export interface GlobalOptions {
  readonly root: string | undefined;
  readonly config: string | undefined;
  readonly storage: string | undefined;
  readonly lockWait: string | undefined;
  readonly allowUnsafeConfig: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  /** How often. */
  readonly verbose: number;
  readonly color: boolean;
  readonly progress: boolean;
  readonly input: boolean;
}

const oneMore = (_value: unknown, before: number | undefined): number => (before ?? 0) + 1;

const globalFlags = (): readonly Option[] => [
  new Option('-C, --root <dir>', 'folder of the instance (default: found from the working folder upward)'),
  new Option('-c, --config <file>', 'configuration file'),
  new Option('--storage <dir>', 'where the backups lie'),
  new Option('--json', 'JSON lines on standard output, for programs'),
  new Option('-q, --quiet', 'tell nothing but errors'),
  new Option('-v, --verbose', 'tell more; -vv with stacks of errors').argParser(oneMore),
  new Option('--no-color', 'no colours'),
  new Option('--no-progress', 'no progress bar'),
  new Option('--no-input', 'never ask'),
  new Option('--lock-wait <duration>', 'wait so long for another run (30s, 5m; default: not at all)'),
  new Option('--allow-unsafe-config', 'read a configuration that somebody else could have written'),
];

export function addGlobalOptions(command: Command): void {
  for (const flag of globalFlags()) command.addOption(flag.helpGroup('Global options:'));
  command.helpOption('-h, --help', 'show this help');
}

/** From before and after the command's name; after it wins, and `-v` counts wherever it stands. */
export function globalOptions(command: Command): GlobalOptions {
  const given = command.optsWithGlobals<Record<string, unknown>>();
  const own = command.opts<Record<string, unknown>>();
  const above = command.parent?.opts<Record<string, unknown>>() ?? {};
  const text = (name: string): string | undefined => {
    const value = own[name] ?? given[name];
    return typeof value === 'string' ? value : undefined;
  };
  const isOn = (name: string): boolean => own[name] === true || above[name] === true;
  /** `--no-…`: off where either says so. */
  const isLeftOn = (name: string): boolean => own[name] !== false && above[name] !== false;
  const times = (from: Record<string, unknown>): number => (typeof from['verbose'] === 'number' ? from['verbose'] : 0);
  return {
    root: text('root'),
    config: text('config'),
    storage: text('storage'),
    lockWait: text('lockWait'),
    allowUnsafeConfig: isOn('allowUnsafeConfig'),
    json: isOn('json'),
    quiet: isOn('quiet'),
    verbose: times(own) + times(above),
    color: isLeftOn('color'),
    progress: isLeftOn('progress'),
    input: isLeftOn('input'),
  };
}
