import { dirname } from 'node:path';
import { recordedTime } from '../base/clock.js';
import { ofKind } from '../manifest/findings.js';
import type { InPlacePlan } from '../operations/plan-in-place.js';
import { placeIn, shownName } from './display.js';
import { counted, formatBytes, formatCount } from './format.js';
import type { Look } from './look.js';
import { factLines, proseLines, type Fact } from './prose.js';
import { pathColumn, sourceColumn } from './sources-view.js';
import { tableLines, type Column } from './table.js';

/** Why a plan is shown: as all that was asked for, before a question, or before it is done. */
export type PlanPurpose = 'dry-run' | 'question' | 'announcement';

/** What a restore in place would do, source by source; with `-v` path by path. */
export function* inPlacePlanText(plan: InPlacePlan, purpose: PlanPurpose, look: Look): Iterable<string> {
  const { id, root, units, findings, manifest } = plan;
  const title = `Restoring ${shownName(id)} in place, in ${shownName(root)}:`;
  yield* proseLines(look.chalk.bold(title), look, { hang: 2, whole: [shownName(root)] });
  yield* changesTable(plan, look);
  if (look.verbose > 0) yield* changedPaths(plan, look);
  yield '';
  const selected = new Set(units.map(({ source }) => source.name));
  const left = manifest.includes.filter((name) => !selected.has(name)).map(shownName);
  const losses = ofKind(findings, 'loss').length;
  const raw = units.filter((unit) => unit.raw).map(({ source }) => shownName(source.name));
  const facts: readonly Fact[] = [
    ['made', shownName(recordedTime(manifest.generatedAt))],
    ['replaced', replacedText(plan)],
    ...plan.space.flatMap(spaceFacts),
    ...elsewhere(plan).map((text): Fact => ['elsewhere', text]),
    ...plan.inUse.map((user): Fact => ['in use', userText(user)]),
    ['left out', left.length === 0 ? undefined : left.join(', ')],
    ['not in backup', staysText(notHeld(plan))],
    ['lacks', losses === 0 ? undefined : `the archive is INCOMPLETE (${counted(losses, 'loss', 'losses')})`],
    ['schedules', schedulesText(plan.schedules)],
    ['as raw bytes', raw.length === 0 ? undefined : `${raw.join(', ')}: damaged when the backup was made, not checked`],
  ];
  yield* factLines(facts, look);
  if (purpose === 'dry-run') {
    yield 'Nothing was written (--dry-run).';
    yield* proseLines('The archive was proven as a file; its contents are proven while they are staged.', look);
  }
}

/** Sources of the configuration that the backup knows nothing of, but for those that are turned off. */
const notHeld = ({ configured, manifest, merge }: InPlacePlan): readonly string[] =>
  configured
    .filter(({ name, enabled }) => !merge && enabled && !manifest.includes.includes(name))
    .map(({ name }) => shownName(name));

function staysText(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  return `${names.join(', ')} (${names.length === 1 ? 'stays as it is' : 'stay as they are'})`;
}

/** Nothing where the archive does not tell and no safety backup is made. */
function spaceFacts({ folder, needs, safety, free }: InPlacePlan['space'][number]): readonly Fact[] {
  const parts = [
    ...(needs === undefined ? [] : [`${formatBytes(needs - safety)} beside what is there`]),
    ...(safety > 0 ? [`about ${formatBytes(safety)} for the safety backup`] : []),
  ];
  if (parts.length === 0) return [];
  return [
    ['needs', parts.join(', ')],
    ['free', `${formatBytes(free)} at ${shownName(folder)}`],
  ];
}

/** Sources that lie on another file system than the root: they are staged there. */
function elsewhere({ units, root }: InPlacePlan): readonly string[] {
  return units
    .filter(({ room }) => dirname(room) !== root)
    .map(({ source, room }) => `${shownName(source.name)} lies on another file system: staged in ${shownName(room)}`);
}

const userText = ({ path, pid, command }: InPlacePlan['inUse'][number]): string =>
  `${shownName(path)} by process ${pid} (${shownName(command)}): it must let go first`;

/** What becomes of the schedules in the application's database; nothing where they stay as they are. */
function schedulesText(schedules: InPlacePlan['schedules']): string | undefined {
  if (schedules === undefined) return undefined;
  if (schedules.kind === 'unknown') return 'come with the database; how they differ is not known';
  const { added, changed, removed } = schedules;
  const told = Object.entries({ added, changed, removed }).filter(([, names]) => names.length > 0);
  if (told.length === 0) return undefined;
  return told.map(([what, names]) => `${what} ${names.map(shownName).join(', ')}`).join('; ');
}

/** Plans go from outer folders to inner ones; people and programs know the order of the archive. */
export function inArchiveOrder<T>(
  { manifest }: InPlacePlan,
  things: readonly T[],
  nameOf: (thing: T) => string,
): readonly T[] {
  const order = new Map(manifest.includes.map((name, at) => [name, at]));
  return things.toSorted((a, b) => (order.get(nameOf(a)) ?? 0) - (order.get(nameOf(b)) ?? 0));
}

type Changes = InPlacePlan['changes'][number];

function replacedText({ changes }: InPlacePlan): string | undefined {
  if (changes.every(({ replaced }) => replaced.length === 0)) return undefined;
  return 'put back whole; whether what is there differs was not looked at';
}

function changesTable(plan: InPlacePlan, look: Look): readonly string[] {
  const isTouched = ({ added, changed, replaced, removed, kept }: Changes): boolean =>
    !plan.merge || [added, changed, replaced, removed, kept].some((paths) => paths.length > 0);
  const changes = inArchiveOrder(plan, plan.changes.filter(isTouched), ({ name }) => name);
  const numbers = (title: string, of: (change: Changes) => readonly string[]): Column => ({
    title,
    align: 'right',
    cells: changes.map((change) => formatCount(of(change).length)),
  });
  const places = changes.map(({ live }) => placeIn(plan.root, live));
  const isReplacing = changes.some(({ replaced }) => replaced.length > 0);
  const columns = [
    { ...sourceColumn, cells: changes.map(({ name }) => shownName(name)) },
    numbers('ADDED', ({ added }) => added),
    numbers('CHANGED', ({ changed }) => changed),
    ...(isReplacing ? [numbers('REPLACED', ({ replaced }) => replaced)] : []),
    numbers('REMOVED', ({ removed }) => removed),
    { ...numbers('KEPT', ({ kept }) => kept), drop: { order: 10 } },
    { ...pathColumn('WHERE', places), drop: { order: 8 } },
  ];
  return tableLines(columns, look.width, look.chalk.dim);
}

function* changedPaths(plan: InPlacePlan, { chalk }: Look): Iterable<string> {
  for (const { added, changed, replaced, removed, kept } of inArchiveOrder(plan, plan.changes, ({ name }) => name)) {
    for (const path of added) yield chalk.green(`  added    ${shownName(path)}`);
    for (const path of changed) yield chalk.yellow(`  changed  ${shownName(path)}`);
    for (const path of replaced) yield chalk.yellow(`  replaced ${shownName(path)}`);
    for (const path of removed) yield chalk.red(`  removed  ${shownName(path)}`);
    for (const path of kept) yield chalk.dim(`  kept     ${shownName(path)}`);
  }
}
