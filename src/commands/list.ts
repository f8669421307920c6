import { InvalidArgumentError, Option, type Command } from 'commander';
import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import type { Catalog } from '../catalog/catalog.js';
import type { ListedBackup } from '../operations/list-backups.js';
import type { RememberedBackup } from '../operations/remembered-backups.js';
import { globalOptions, type GlobalOptions } from './global-options.js';
import type { Choose, CommandDeps } from './job.js';

type SortKey = 'time' | 'size' | 'id';

export interface ListOptions {
  readonly schedule?: string;
  readonly failed?: boolean;
  readonly locked?: boolean;
  readonly all?: boolean;
  readonly limit?: number;
  readonly sort: SortKey;
}

const examples = `
Examples:
  bkp list                    the backups of this instance, newest first
  bkp list --failed           those that are not whole, or not there
  bkp list --all --sort size  those of other instances too, largest first
  bkp list --json | jq -r 'select(.type == "backup" and .file) | .file'`;

export function registerList(program: Command, choose: Choose): Command {
  return program
    .command('list')
    .alias('ls')
    .description('Show the backups in the storage.')
    .option('--schedule <name>', 'only those of this schedule (also: manual, safety)')
    .option('--failed', 'only those that are incomplete, damaged, unreadable, missing or failed')
    .option('--locked', 'only those that are locked')
    .option('--all', 'those of other instances too')
    .option('--limit <n>', 'at most so many', count)
    .addOption(
      new Option('--sort <key>', 'time: newest first; size: largest first; id: by name')
        .choices(['time', 'size', 'id'])
        .default('time'),
    )
    .addHelpText('after', examples)
    .action((options: ListOptions, command: Command) => {
      const globals = globalOptions(command);
      choose({ name: 'list', dryRun: false, globals, run: (deps) => runList(options, globals, deps) });
    });
}

async function runList(options: ListOptions, globals: GlobalOptions, deps: CommandDeps): Promise<ExitCode> {
  const { findStorage, refuseNothing, sameCall } = await import('./instance.js');
  const { listBackups } = await import('../operations/list-backups.js');
  const { listView } = await import('../ui/list-view.js');
  const { systemClock } = await import('../base/clock.js');
  const { withHistory } = await import('./history.js');
  const { withKnownDamage } = await import('../operations/known-damage.js');
  const { config, storage } = await findStorage(globals, deps);
  await refuseNothing(config);
  if (config !== undefined) {
    const { warnUnfinished } = await import('./restore-warning.js');
    warnUnfinished({ config }, deps);
  }
  const instance = config?.instance;
  const listed = await listBackups(storage, instance, deps.signal);
  const { all, remembered } = await withHistory({ config, storage }, deps, async (catalog) => ({
    all: withKnownDamage(listed, catalog),
    remembered: await rememberedOf(catalog, instance, listed),
  }));
  const list = {
    shown: chosen([...all, ...remembered], options),
    all,
    withForeign: options.all === true,
    storage: storage.location,
    instance,
    now: systemClock.now(),
    again: sameCall(globals),
    sources: config?.sources.filter(({ enabled }) => enabled).map(({ name }) => name),
  };
  const exitCode = exitCodes.done;
  deps.output.render(listView(list, { exitCode, durationMs: deps.elapsed() }));
  return exitCode;
}

async function rememberedOf(
  catalog: Catalog | undefined,
  instance: string | undefined,
  listed: readonly ListedBackup[],
): Promise<readonly RememberedBackup[]> {
  if (catalog === undefined || instance === undefined) return [];
  const { rememberedBackups } = await import('../operations/remembered-backups.js');
  return rememberedBackups(catalog, instance, listed);
}

type Row = ListedBackup | RememberedBackup;

/** The wanted ones in the wanted order. */
function chosen(all: readonly Row[], options: ListOptions): readonly Row[] {
  const wanted = all.filter(
    ({ foreign, status, locked, origin }) =>
      (options.all === true || !foreign) &&
      (options.failed !== true || status !== 'ok') &&
      (options.locked !== true || locked) &&
      (options.schedule === undefined || origin === options.schedule),
  );
  return sorted(wanted, options.sort).slice(0, options.limit);
}

function sorted(backups: readonly Row[], key: SortKey): readonly Row[] {
  const idOf = ({ id }: Row): string => id ?? '';
  switch (key) {
    case 'time':
      return backups.toSorted((a, b) => b.time - a.time);
    case 'size':
      return backups.toSorted((a, b) => b.bytes - a.bytes);
    case 'id':
      return backups.toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : idOf(a) > idOf(b) ? 1 : 0));
  }
}

function count(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1.');
}
