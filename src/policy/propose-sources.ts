import { entryPathFault, parseEntryPath } from '../base/entry-path.js';
import { excludeMatcher } from '../fs/globs.js';
import { chooseFolders, matchLayouts, type ChosenFolder } from './choose-folders.js';
import { folderKind, type FoundData, type FoundDatabase } from './found-data.js';
import { configurationFiles, type KnownLayout } from './known-layouts.js';
import { isIn, type Claimed, type Proposal, type ProposedSource } from './proposal.js';
import { isWritable, SourceNames } from './source-names.js';

/** What of a folder is worth backing up, beside what is claimed. */
export function proposeSources(found: FoundData, claimed: Claimed): Proposal {
  const matches = matchLayouts(found, claimed);
  const folders = chooseFolders(found, claimed, matches);
  const covered = [...folders.map(({ path }) => path), ...claimed.folders];
  const folderOf = (path: string): ChosenFolder | undefined => folders.find((folder) => isIn(path, folder.path));
  const isLeftOut = excludedFrom(folders);
  const rest = found.databases.filter(
    ({ path }) =>
      !claimed.databases.includes(path) && !claimed.folders.some((folder) => isIn(path, folder)) && !isLeftOut(path),
  );
  const named = worthNaming(rest, (path) => folderOf(path)?.path ?? '');
  const names = new SourceNames(claimed.names);
  return {
    applications: [...new Set(matches.map(({ layout }) => layout.application))],
    sources: [
      ...named.map((database) => databaseSource(database, folderOf(database.path)?.layout, names)),
      ...folders.map((folder) => folderSource(folder, names)),
      ...configuration(found, covered, claimed, names),
    ],
    advice: [...new Set(matches.flatMap(({ layout }) => layout.advice ?? []))],
    unnamed: rest.filter((one) => !named.includes(one) && folderOf(one.path) === undefined).map(({ path }) => path),
    uncovered: uncoveredFolders(found, covered),
  };
}

/** Whether a path is left out of the folder it lies in. */
function excludedFrom(folders: readonly ChosenFolder[]): (path: string) => boolean {
  const matchers = folders.map(({ path, exclude }) => ({
    path,
    matches: excludeMatcher(exclude.map(({ glob }) => glob)),
  }));
  return (path) =>
    matchers.some((folder) => {
      if (!isIn(path, folder.path)) return false;
      const inside = folder.path === '.' ? path : path.slice(folder.path.length + 1);
      return entryPathFault(inside) === undefined && folder.matches(parseEntryPath(inside), false);
    });
}

/** So many databases of one folder get a source of their own; the others are found when the folder is backed up. */
const mostNamed = 20;

/** Those in use first, then the nearest. In the order of their paths. */
function worthNaming(
  databases: readonly FoundDatabase[],
  folderOf: (path: string) => string,
): readonly FoundDatabase[] {
  const counts = new Map<string, number>();
  const depth = (path: string): number => path.split('/').length;
  const byPath = (a: FoundDatabase, b: FoundDatabase): number => (a.path < b.path ? -1 : 1);
  return databases
    .filter(({ path }) => isWritable(path))
    .sort((a, b) => Number(b.live) - Number(a.live) || depth(a.path) - depth(b.path) || byPath(a, b))
    .filter(({ path }) => {
      const folder = folderOf(path);
      counts.set(folder, (counts.get(folder) ?? 0) + 1);
      return (counts.get(folder) ?? 0) <= mostNamed;
    })
    .sort(byPath);
}

function databaseSource(database: FoundDatabase, layout: KnownLayout | undefined, names: SourceNames): ProposedSource {
  const { path } = database;
  const file = path.slice(path.lastIndexOf('/') + 1);
  const disposable = layout?.disposable.find(({ name }) => name.test(file));
  const about = disposable?.why ?? '';
  const base = { name: names.nameFor(path), scope: 'databases', enabled: disposable === undefined, about };
  return { type: 'sqlite', ...base, path, database };
}

function folderSource({ path, about, exclude, scope }: ChosenFolder, names: SourceNames): ProposedSource {
  const name = names.nameFor(path);
  return { type: 'directory', name, scope: scope ?? name, enabled: true, about, path, exclude };
}

function configuration(
  found: FoundData,
  covered: readonly string[],
  claimed: Claimed,
  names: SourceNames,
): readonly ProposedSource[] {
  const isApart = (file: string): boolean => !covered.some((folder) => isIn(file, folder));
  const paths = ['.backuprc', ...configurationFiles.filter((file) => found.files.has(file))].filter(isApart);
  if (paths.length === 0 || claimed.hasConfiguration) return [];
  const about = 'Settings, with secrets: only where a backup is asked for them (--with-config).';
  return [{ type: 'files', name: names.nameFor('config'), scope: 'config', enabled: false, about, paths }];
}

function uncoveredFolders(found: FoundData, covered: readonly string[]): readonly string[] {
  const isApart = (path: string): boolean => covered.every((one) => !isIn(path, one) && !isIn(one, path));
  const isTop = (path: string): boolean => !path.includes('/') && folderKind(path) === 'plain';
  return [...found.folders].filter((path) => isTop(path) && isApart(path)).sort();
}
