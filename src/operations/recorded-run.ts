import { BkpError, errorText } from '../base/errors.js';
import { exitCodes } from '../base/exit-codes.js';
import { openCatalog, type Catalog } from '../catalog/catalog.js';
import type { RunBeginning, RunEnding } from '../catalog/run-record.js';
import type { Finding } from '../manifest/findings.js';
import type { Storage } from '../storage/storage.js';
import type { Deps } from './deps.js';

/** Runs `work` with the catalogue of a storage, where that has a folder; what the catalogue lost is told as a step. */
export async function withCatalog<T>(
  { folder }: Storage,
  deps: Deps,
  work: (catalog: Catalog | undefined) => Promise<T>,
): Promise<T> {
  if (folder === undefined) return work(undefined);
  const catalog = await openCatalog(folder, deps.clock);
  try {
    return await work(catalog);
  } finally {
    catalog.close();
    if (catalog.warning !== undefined) deps.step('catalog-warning', catalog.warning);
  }
}

/** How a run that came to its end is remembered. */
export interface RecordedEnding extends RunEnding {
  readonly findings?: readonly Finding[];
}

/** Does `work` as a run that the catalogue remembers, with its steps, its findings and how it ended. */
export async function recordedRun<T>(
  catalog: Catalog | undefined,
  beginning: RunBeginning,
  deps: Deps,
  work: (deps: Deps) => Promise<T>,
  endingOf: (result: T) => RecordedEnding,
): Promise<T> {
  if (catalog === undefined) return work(deps);
  const recorder = catalog.beginRun(beginning);
  const step: Deps['step'] = (id, message) => {
    recorder.step(id, message);
    deps.step(id, message);
  };
  try {
    const result = await work({ ...deps, step });
    const { findings = [], ...ending } = endingOf(result);
    for (const finding of findings) recorder.finding(finding);
    recorder.end(ending);
    return result;
  } catch (error) {
    const cause: unknown = deps.signal.aborted ? deps.signal.reason : error;
    recorder.end(failure(cause));
    throw error;
  }
}

function failure(error: unknown): RunEnding {
  if (!(error instanceof BkpError)) {
    return { exitCode: exitCodes.failed, error: { id: 'internal', message: errorText(error) } };
  }
  return { exitCode: error.exitCode, error: { id: error.id, message: error.message } };
}
