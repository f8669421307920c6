import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { counted } from '../../base/amounts.js';
import { systemCode } from '../../base/errors.js';
import { fail, ok, warn, type Check, type Outcome, type Subject } from './check.js';

/** What a backup would lack, or could not do as it should. */
export const sources: Check<Subject> = {
  id: 'sources',
  run: ({ scan, others, sources: all }) => {
    const problems = [
      ...scan.lacks.map(({ source, count, message }) => {
        const more = count === 1 ? '' : ` (and ${count - 1} more)`;
        return fail(
          `${source}: a backup would be incomplete: ${message}${more}`,
          'Mend it, leave it out with `exclude`, or turn the source off.',
        );
      }),
      ...scan.notDatabases.map((path) =>
        fail(
          `${path} does not begin as a SQLite database: it is damaged, encrypted, or none`,
          'If it is none, make it a source of type `files` or leave it to the folder around it.',
          path,
        ),
      ),
      ...unwritableDatabases(scan.resolved.filter(({ source }) => source.type === 'sqlite').map(({ real }) => real)),
    ];
    if (problems.length > 0) return problems;
    const off = others.length === 0 ? '' : `; turned off: ${others.map(({ name }) => name).join(', ')}`;
    return [ok(`all ${all.length} are there and can be read (${counted(scan.files, 'file')})${off}`)];
  },
};

/** Without the right to write there is no lock to be had, and several databases are not of one instant. */
function unwritableDatabases(paths: readonly string[]): readonly Outcome[] {
  if (paths.length < 2) return [];
  const unwritable = paths.filter((path) => !mayWrite(path) || !mayWrite(dirname(path)));
  return unwritable.map((path) =>
    warn(
      `${path} cannot be written to by you: the databases will be copied one after the other, not at one instant`,
      'Run bkp as the user of the application, or as root.',
      path,
    ),
  );
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}
