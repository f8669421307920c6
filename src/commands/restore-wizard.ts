import type { Cleanup } from '../base/cleanup.js';
import { systemClock } from '../base/clock.js';
import { BkpError } from '../base/errors.js';
import type { FoundManifest } from '../manifest/manifest.js';
import { storedBackup, type BackupFile } from '../operations/backup-file.js';
import { listBackups } from '../operations/list-backups.js';
import { withKnownDamage } from '../operations/known-damage.js';
import { planInPlace, type InPlacePlan, type InPlaceRequest } from '../operations/plan-in-place.js';
import type { Source } from '../operations/source.js';
import { refuseUnfinished } from '../operations/unfinished-restore.js';
import { chooseOne, chooseSome } from '../ui/choose.js';
import type { ChosenSource } from '../ui/choose-some.js';
import { shownName } from '../ui/display.js';
import { EscapeWatch } from '../ui/escape-watch.js';
import { formatAge, formatBytes } from '../ui/format.js';
import { backupColumns } from '../ui/backup-columns.js';
import { tableLines } from '../ui/table.js';
import { withHistory } from './history.js';
import type { Instance } from './instance.js';
import type { CommandDeps } from './job.js';
import { mayAsk } from './may-ask.js';
import { operationDeps } from './operation-deps.js';
import { noBackupNamed } from './restore-options.js';

/** Throws `usage` where nobody is there who could choose a backup: programs name it. */
export function requirePerson(json: boolean, noInput: boolean, { stdout }: Pick<CommandDeps, 'stdout'>): void {
  if (!stdout.isTerminal || !mayAsk(json, noInput)) throw noBackupNamed();
}

/** Asks which backup of the instance is to be put back. Rejects with `backup-not-found` where there is none. */
export async function chooseBackup(
  { config, storage }: Pick<Instance, 'config' | 'storage'>,
  again: string,
  deps: CommandDeps,
): Promise<BackupFile> {
  refuseUnfinished(config.root);
  const listed = await listBackups(storage, config.instance, deps.signal);
  const all = await withHistory({ config, storage }, deps, (catalog) =>
    Promise.resolve(withKnownDamage(listed, catalog)),
  );
  const shown = all.filter(({ foreign }) => !foreign);
  if (shown.length === 0) {
    const message = `there is no backup of ${config.instance} in ${storage.location}`;
    throw new BkpError('backup-not-found', message, { hint: `Make one: \`${again} create\`.` });
  }
  const now = systemClock.now();
  const sources = config.sources.filter(({ enabled }) => enabled).map(({ name }) => name);
  const numbers = { title: 'NR', align: 'right' as const, cells: shown.map((_, at) => String(at + 1)) };
  const columns = [numbers, ...backupColumns({ shown, now, withForeign: false, sources })];
  const wanted = {
    question: `Which backup of ${shownName(config.instance)} is to be put back?`,
    names: shown.map(({ id }) => id),
    called: 'an id' as const,
    table: (width: number) => tableLines(columns, width),
    start: 0,
    more: (at: number) => {
      const { comment, status = 'ok', locked = false, encrypted = false } = shown[at] ?? {};
      // The table may have no room for these words.
      const states = { [status]: status !== 'ok', locked, encrypted };
      const flags = Object.keys(states)
        .filter((word) => states[word])
        .join(' and ');
      return [
        ...(flags === '' ? [] : [`It is ${flags}.`]),
        ...(comment === undefined ? [] : [`Its comment: ${shownName(comment)}`]),
      ].join(' ');
    },
    tell: (at: number) => {
      const { id = '', time = now, bytes = 0 } = shown[at] ?? {};
      return `Backup: ${shownName(id)}, ${formatAge(time, now)}, ${formatBytes(bytes)}`;
    },
  };
  const at = await chooseOne(wanted, deps);
  return storedBackup(storage, shown[at]?.name ?? '');
}

/** Plans a restore and asks on the way what is to come back, unless that was said. Esc ends it at any time. */
export async function planWithPerson(
  request: InPlaceRequest,
  deps: CommandDeps,
  cleanup: Cleanup,
): Promise<InPlacePlan> {
  const { passphrase, only, paths, configured } = request;
  const watch = new EscapeWatch(deps.signal);
  const isSaid = only !== undefined || paths !== undefined;
  watch.start();
  try {
    const asking: InPlaceRequest = {
      ...request,
      passphrase: passphrase && ((question) => watch.paused(() => passphrase(question))),
      choose: isSaid ? undefined : (manifest) => watch.paused(() => chooseRestored(manifest, configured, deps)),
    };
    return await planInPlace(asking, operationDeps(deps), cleanup);
  } finally {
    watch.stop();
  }
}

/** Undefined: all of them. */
async function chooseRestored(
  manifest: FoundManifest,
  configured: readonly Source[],
  deps: CommandDeps,
): Promise<readonly string[] | undefined> {
  const sources = manifest.includes.map((name) => restorable(name, manifest, configured));
  if (sources.length < 2) return undefined;
  deps.output.progress.finish();
  const question = 'The backup is proven. What is to be put back?';
  const names = await chooseSome({ question, sources }, deps);
  return names.length === sources.length ? undefined : names;
}

function restorable(name: string, { sources }: FoundManifest, configured: readonly Source[]): ChosenSource {
  const recorded = sources?.find((source) => source.name === name);
  const here = configured.find((source) => source.name === name);
  const fits = here !== undefined && (recorded === undefined || recorded.type === here.type);
  return {
    name,
    scope: recorded?.scope ?? here?.scope ?? name,
    files: recorded?.files,
    bytes: recorded?.bytes,
    on: fits,
    note: fits ? '' : here === undefined ? 'not configured here' : `${here.type} in the configuration here`,
  };
}
