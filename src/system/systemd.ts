import { existsSync, mkdirSync, readFileSync, unlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { BkpError, errorText, ioError } from '../base/errors.js';
import { lookAt } from '../fs/file-stat.js';
import { writeFileDurably } from '../fs/partial-file.js';
import { runTool } from './run-tool.js';
import { unitMark, type SystemdUnit, type SystemdUnits } from './systemd-units.js';

/** Units of one's own, or of the machine. */
export type UnitScope = 'user' | 'system';

export interface UnitPlace {
  readonly scope: UnitScope;
  readonly folder: string;
}

/** Where systemd looks for units that an administrator or user writes. */
export function unitPlace(scope: UnitScope, env: Readonly<Record<string, string | undefined>>): UnitPlace {
  if (scope === 'system') return { scope, folder: '/etc/systemd/system' };
  const given = env['XDG_CONFIG_HOME'];
  // A relative one does not count (XDG Base Directory Specification).
  const config = given?.startsWith('/') === true ? given : join(homedir(), '.config');
  return { scope, folder: join(config, 'systemd', 'user') };
}

export interface UnitsOutcome {
  /** Paths that were written or removed. */
  readonly files: readonly string[];
  /** Commands that are left to be run, in their order; none where systemd knows already. */
  readonly toRun: readonly string[];
  /** Why they are left. */
  readonly reason: string | undefined;
}

/**
 * Writes the units and starts the timer. Rejects with `unit-foreign` where a file of that name is not ours, with
 * `output-unwritable` or `no-space` where it cannot be written.
 */
export async function installUnits({ service, timer }: SystemdUnits, place: UnitPlace): Promise<UnitsOutcome> {
  for (const { name } of [service, timer]) refuseForeign(join(place.folder, name));
  const files: string[] = [];
  for (const unit of [service, timer]) files.push(await writeUnit(unit, place));
  return { files, ...(await tellSystemd(place, [['daemon-reload'], ['enable', '--now', timer.name]])) };
}

/** Stops the timer and removes the units; no file where there is none. Rejects as `installUnits` does. */
export async function removeUnits({ service, timer }: SystemdUnits, place: UnitPlace): Promise<UnitsOutcome> {
  const paths = [service, timer].map(({ name }) => join(place.folder, name));
  const files = paths.filter((path) => lookAt(path) !== undefined);
  for (const path of files) refuseForeign(path);
  if (files.length === 0) return { files, toRun: [], reason: undefined };
  const stopped = await tellSystemd(place, [['disable', '--now', timer.name]]);
  for (const path of files) removeUnit(path);
  const reloaded = await tellSystemd(place, [['daemon-reload']]);
  return { files, toRun: [...stopped.toRun, ...reloaded.toRun], reason: stopped.reason ?? reloaded.reason };
}

async function writeUnit({ name, text }: SystemdUnit, { folder, scope }: UnitPlace): Promise<string> {
  const path = join(folder, name);
  try {
    mkdirSync(folder, { recursive: true });
    await writeFileDurably(path, Buffer.from(text), 0o644);
    return path;
  } catch (error) {
    throw unwritable(path, error, scope);
  }
}

function removeUnit(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    throw ioError('removing', path, error, 'output-unwritable');
  }
}

function refuseForeign(path: string): void {
  if (lookAt(path) === undefined) return;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw ioError('reading', path, error, 'output-unwritable');
  }
  if (text.startsWith(`${unitMark}\n`)) return;
  throw new BkpError('unit-foreign', `${path} was not written by bkp, and was left as it is`, {
    path,
    hint: 'Look at what it is; move it away if it is not needed.',
  });
}

/** A failing command leaves those after it to be run as well. */
async function tellSystemd(
  { scope }: UnitPlace,
  commands: readonly (readonly string[])[],
): Promise<Pick<UnitsOutcome, 'toRun' | 'reason'>> {
  const all = commands.map((words) => (scope === 'user' ? ['--user', ...words] : words));
  const from = (index: number): string[] => all.slice(index).map((words) => ['systemctl', ...words].join(' '));
  // As sd_booted(3) finds out.
  if (!existsSync('/run/systemd/system')) return { toRun: from(0), reason: 'systemd does not run here' };
  for (const [index, words] of all.entries()) {
    const result = await runTool('systemctl', words);
    if (result.kind === 'ended' && result.code === 0) continue;
    if (result.kind === 'missing') return { toRun: from(index), reason: 'there is no `systemctl` command' };
    const why = result.kind === 'failed' ? result.reason : result.stderr;
    return { toRun: from(index), reason: `systemctl ${words.join(' ')} failed: ${why}` };
  }
  return { toRun: [], reason: undefined };
}

function unwritable(path: string, error: unknown, scope: UnitScope): BkpError {
  if (error instanceof BkpError && error.id === 'no-space') return error;
  return new BkpError('output-unwritable', `${path} cannot be written: ${errorText(error)}`, {
    cause: error,
    path,
    hint: scope === 'system' ? 'Run this as root, or install units of your own user.' : 'Make its folder writable.',
  });
}
