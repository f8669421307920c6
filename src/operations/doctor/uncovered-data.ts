import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemCode } from '../../base/errors.js';
import { isInside } from '../../fs/link-target.js';
import { wantedFiles } from '../../policy/known-layouts.js';
import { isIn } from '../../policy/proposal.js';
import { proposeSources } from '../../policy/propose-sources.js';
import { claimedBy } from '../claimed.js';
import { survey, surveyLimits } from '../survey.js';
import { ok, warn, type Check, type CheckDeps, type Outcome, type Subject } from './check.js';

const mostNamed = 20;

/** Databases and folders of data in the root, and beside databases elsewhere, that no source holds. */
export const uncoveredData: Check<Subject> = {
  id: 'uncovered-data',
  run: async (subject, deps) => {
    const places = [subject.root, ...foldersElsewhere(subject)];
    const outcomes: Outcome[] = [];
    for (const place of places) outcomes.push(...(await uncoveredIn(place, subject, deps)));
    const named = outcomes.slice(0, mostNamed);
    const more = outcomes.length - named.length;
    if (more > 0) named.push(warn(`${more} more databases or folders belong to no source`, mend(subject)));
    return named.length > 0 ? named : [ok(`all data that was found in ${places.join(', ')} belongs to a source`)];
  },
};

/** Of databases that do not lie in the root. */
function foldersElsewhere({ root, scan }: Subject): readonly string[] {
  const databases = scan.resolved.filter(({ source, real }) => source.type === 'sqlite' && !isInside(root, real));
  return [...new Set(databases.map(({ real }) => dirname(real)))];
}

const mend = ({ configFile }: Subject): string =>
  `Add what matters to \`sources\` in ${configFile ?? '.backuprc'}; turned off there, it is not named again.`;

async function uncoveredIn(place: string, subject: Subject, deps: CheckDeps): Promise<readonly Outcome[]> {
  const { storage, sources, others, root } = subject;
  const skip = storage.folder === undefined ? [] : [realPath(storage.folder)];
  // Beside a database that lies elsewhere may be anything.
  const limits = place === root ? surveyLimits : { ...surveyLimits, depth: 1 };
  const found = await survey({ root: place, skip, wanted: wantedFiles(), limits }, deps);
  const claimed = claimedBy([...sources, ...others], place);
  const proposal = proposeSources(found, claimed);
  const outcomes = proposal.sources.flatMap((source) => {
    if (source.type === 'files') return [];
    const path = join(place, source.path);
    const what = source.type === 'sqlite' ? 'is a SQLite database that' : 'is a folder of data that';
    return [warn(`${path} ${what} no source holds`, mend(subject), path)];
  });
  const unnamed = proposal.unnamed.map((path) =>
    warn(`${join(place, path)} is a SQLite database that no source holds`, mend(subject), join(place, path)),
  );
  const isClaimed = (path: string): boolean => claimed.folders.some((folder) => isIn(path, folder));
  const unread = found.unread.filter(({ path }) => !isClaimed(path));
  const unseen = unread.map(({ path, reason }) =>
    warn(
      `${join(place, path)} could not be looked at: ${reason}`,
      'Run it as a user who may read it.',
      join(place, path),
    ),
  );
  if (found.cut === undefined || found.cut === 'depth') return [...outcomes, ...unnamed, ...unseen];
  const cut = warn(
    `not everything in ${place} was looked at: there is too much of it`,
    'Point `root` at the application.',
  );
  return [...outcomes, ...unnamed, ...unseen, cut];
}

function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return path;
  }
}
