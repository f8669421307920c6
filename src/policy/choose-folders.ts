import { folderKind, type FoundData, type FoundLink } from './found-data.js';
import {
  codeSigns,
  configurationFiles,
  dataNames,
  dataParents,
  knownLayouts,
  pathBelow,
  type Exclusion,
  type KnownLayout,
} from './known-layouts.js';
import { isIn, type Claimed } from './proposal.js';
import { isWritable } from './source-names.js';

/** An application by its data folder. */
export interface Match {
  readonly layout: KnownLayout;
  readonly folder: string;
}

/** A folder that is to be a source. */
export interface ChosenFolder {
  readonly path: string;
  /** For people. */
  readonly about: string;
  readonly exclude: readonly Exclusion[];
  /** Of the application whose data folder it is. */
  readonly layout: KnownLayout | undefined;
  /** Undefined: its own name. */
  readonly scope: string | undefined;
}

export function matchLayouts(found: FoundData, claimed: Claimed): readonly Match[] {
  const databases = new Set(found.databases.map(({ path }) => path));
  const isThere = (path: string): boolean => databases.has(path) || found.folders.has(path) || found.files.has(path);
  return knownLayouts.flatMap((layout) => {
    const folder = layout.folders.find((one) => {
      const at = (path: string): string => pathBelow(one, path);
      if (!layout.databases.some((path) => databases.has(at(path)))) return false;
      return layout.signs.length === 0 || layout.signs.some((path) => isThere(at(path)));
    });
    return folder === undefined || claimed.folders.some((path) => isIn(folder, path)) ? [] : [{ layout, folder }];
  });
}

/** The outermost first; none lies in another one, and none holds or is what is claimed. */
export function chooseFolders(found: FoundData, claimed: Claimed, matches: readonly Match[]): readonly ChosenFolder[] {
  const chosen: ChosenFolder[] = [];
  for (const folder of [...ofApplications(found, matches), ...ofOthers(found)]) {
    const { path } = folder;
    const holdsClaimed = [...claimed.folders, ...claimed.databases].some((one) => isIn(one, path));
    const apart = [...claimed.folders, ...chosen.map((one) => one.path)].every((one) => !isIn(path, one));
    const holdsChosen = chosen.some((one) => isIn(one.path, path));
    if (isWritable(path) && apart && !holdsClaimed && !holdsChosen) chosen.push(folder);
  }
  return withLinks(chosen, found, claimed);
}

/**
 * A link out of a folder is no part of it: where it leads to a folder that no source covers, it is a source of its own, and
 * is cut out; else it is left out.
 */
function withLinks(chosen: readonly ChosenFolder[], found: FoundData, claimed: Claimed): readonly ChosenFolder[] {
  const covered = [...claimed.folders, ...chosen.map(({ path }) => path)];
  const databases = new Set(found.databases.map(({ path }) => path));
  const isCovered = ({ path }: FoundLink): boolean => covered.includes(path);
  const targets = new Set(found.links.filter(isCovered).map(({ target }) => target));
  return chosen.flatMap((folder) => {
    const exclude: Exclusion[] = [];
    const own: ChosenFolder[] = [];
    for (const link of found.links) {
      const { path, target } = link;
      const isElsewhere = target.startsWith('/');
      const leaves = path !== folder.path && isIn(path, folder.path) && (isElsewhere || !isIn(target, folder.path));
      if (!leaves || databases.has(path) || !isWritable(path)) continue;
      const isApart = isElsewhere || !covered.some((one) => isIn(target, one) || isIn(one, target));
      if (!isApart || targets.has(target) || !leadsToData(link)) exclude.push(leftOut(path, folder));
      else own.push(linked(path, folder));
      targets.add(target);
    }
    return [{ ...folder, exclude: [...folder.exclude, ...exclude] }, ...own];
  });
}

const leadsToData = ({ path, to }: FoundLink): boolean =>
  to === 'folder' && folderKind(path.slice(path.lastIndexOf('/') + 1)) !== 'disposable';

function linked(path: string, { scope }: ChosenFolder): ChosenFolder {
  return { path, about: 'Reached by a link out of the folder around it.', exclude: [], layout: undefined, scope };
}

const leftOut = (path: string, { path: folder }: ChosenFolder): Exclusion => ({
  glob: escapeGlob(below(path, folder)),
  why: 'a link that leads out of it',
});

/** A path by its place in a folder. */
const below = (path: string, folder: string): string => (folder === '.' ? path : path.slice(folder.length + 1));

function ofApplications(found: FoundData, matches: readonly Match[]): readonly ChosenFolder[] {
  return matches.flatMap(({ layout, folder }) => {
    const exclude = [...layout.exclude, ...lostAndFound(found, folder)];
    const own = { path: folder, about: `All else of ${layout.application}.`, exclude, layout, scope: 'uploads' };
    const beside = layout.beside.filter(({ path }) => found.folders.has(path));
    return [own, ...beside.map((one) => ({ ...one, exclude: [], layout: undefined, scope: undefined }))];
  });
}

/** Folders that hold databases, then those whose names say data. */
function ofOthers(found: FoundData): readonly ChosenFolder[] {
  const byDatabase = found.databases.filter(({ path }) => path.includes('/')).map(({ path }) => dataFolderOf(path));
  const named = ['.', ...dataParents].flatMap((parent) => dataNames.map((name) => pathBelow(parent, name)));
  const paths = [...byDatabase, ...named.filter((path) => found.folders.has(path))];
  const depth = (path: string): number => path.split('/').length;
  const byDepth = [...new Set(paths)].sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1));
  return [...(isPureData(found) ? ['.'] : []), ...byDepth].map((path) => {
    const hasDatabase = found.databases.some((database) => isIn(database.path, path));
    const about = hasDatabase ? 'What lies beside the databases.' : 'Files.';
    return { path, about, exclude: disposableIn(found, path), layout: undefined, scope: 'uploads' };
  });
}

/** The root itself is a data folder: databases at its top, and nothing of code or of a container's settings. */
function isPureData({ databases, folders, files }: FoundData): boolean {
  const isThere = (path: string): boolean => folders.has(path) || files.has(path);
  return databases.some(({ path }) => !path.includes('/')) && ![...codeSigns, ...configurationFiles].some(isThere);
}

/** The outermost folder around a database whose name says data, else its own; up to one whose name can be written. */
function dataFolderOf(database: string): string {
  const segments = database.split('/').slice(0, -1);
  const known = segments.findIndex((segment) => dataNames.includes(segment));
  let count = known === -1 ? segments.length : known + 1;
  while (count > 1 && !isWritable(segments.slice(0, count).join('/'))) count -= 1;
  return segments.slice(0, count).join('/');
}

/** Deeper down, a folder of such a name may be a user's own. */
const disposableDepth = 2;

function disposableIn(found: FoundData, folder: string): readonly Exclusion[] {
  return found.disposable.flatMap((path) => {
    if (path === folder || !isIn(path, folder)) return [];
    const inside = below(path, folder);
    if (inside.split('/').length > disposableDepth || !isWritable(inside)) return [];
    return [{ glob: `${escapeGlob(inside)}/**`, why: 'made again' }];
  });
}

/** Where the data folder is a file system of its own, this one of it is for root alone. */
function lostAndFound(found: FoundData, folder: string): readonly Exclusion[] {
  if (!found.folders.has(pathBelow(folder, 'lost+found'))) return [];
  return [{ glob: `${escapeGlob('lost+found')}/**`, why: "the file system's own" }];
}

const escapeGlob = (name: string): string => name.replace(/[\\*?[\]{}()!+@|]/g, '\\$&');
