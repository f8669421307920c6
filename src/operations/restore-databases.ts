import { lstatSync } from 'node:fs';
import { systemCode } from '../base/errors.js';
import type { Journal } from '../fs/journal.js';
import { walk } from '../fs/walk.js';
import { readHeaderMode } from '../sqlite/header.js';

/**
 * Every database that an unfinished restore moves or has moved, inside folders too, where they lie now. Reads the first
 * bytes of files: nobody in this process may hold one of them locked. What is only carried is left out.
 */
export function databasesOf(journal: Journal): readonly string[] {
  const carried = new Set(journal.steps.flatMap((step) => (step.kind === 'carry' ? [step.live, step.aside] : [])));
  const found: string[] = [];
  for (const step of journal.steps) {
    if (step.kind === 'carry') continue;
    for (const path of [step.live, step.aside]) found.push(...databasesBelow(path, step.kind === 'database', carried));
  }
  return found;
}

function databasesBelow(path: string, isDatabase: boolean, carried: ReadonlySet<string>): readonly string[] {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (!stat.isDirectory()) return isDatabase || isSqliteFile(path) ? [path] : [];
  const exclude = (entry: string): boolean => carried.has(`${path}${entry.slice('tree'.length)}`);
  const found: string[] = [];
  for (const walked of walk({ root: path, prefix: 'tree', exclude })) {
    if (walked.kind === 'file' && isSqliteFile(walked.absolute)) found.push(walked.absolute);
  }
  return found;
}

/** What cannot be read is moved as it is. */
function isSqliteFile(path: string): boolean {
  try {
    return lstatSync(path).isFile() && readHeaderMode(path) !== undefined;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}
