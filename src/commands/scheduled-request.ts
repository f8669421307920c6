import type { Config } from '../config/config.js';
import type { CreateRequest } from '../operations/create-request.js';
import type { Schedule } from '../policy/schedule.js';
import type { Source } from '../operations/source.js';
import type { Storage } from '../storage/storage.js';
import { selectSources } from './select-sources.js';
import { usageError } from './usage.js';

/** What of a create is not the schedule's to say. */
export interface ScheduledExtras {
  readonly comment: string | undefined;
  readonly excludes: readonly string[];
  readonly quickCheck: boolean;
  readonly full: boolean;
}

/** The backup that a schedule asks for. Throws `usage` where it names scopes that no source has (any more). */
export function scheduledRequest(
  schedule: Schedule,
  config: Config,
  storage: Storage,
  extras: ScheduledExtras,
): CreateRequest {
  const { options, project, format } = schedule;
  const { sources, leftOut } = sourcesOf(schedule, config.sources);
  return {
    instance: config.instance,
    root: config.root,
    sources,
    others: config.sources.filter(({ name }) => leftOut.includes(name)),
    leftOut,
    excludes: [...config.exclude, ...(options.exclude ?? []), ...extras.excludes],
    destination: { kind: 'storage', storage, container: format ?? config.format },
    level: options.level ?? config.level,
    maxPause: config.maxPause,
    origin: schedule.name,
    project: project ?? undefined,
    comment: extras.comment ?? options.comment,
    lockWait: config.lockWait,
    quickCheck: extras.quickCheck,
    full: extras.full,
  };
}

/** Exactly its scopes, or what is on where it names none. */
function sourcesOf(
  { name, scopes, project }: Schedule,
  sources: readonly Source[],
): { readonly sources: readonly Source[]; readonly leftOut: readonly string[] } {
  const known = new Set(sources.map(({ scope }) => scope));
  const unknown = scopes?.find((scope) => !known.has(scope));
  if (unknown !== undefined) {
    throw usageError(
      `the schedule ${name} names the scope ${unknown}, which no source has`,
      `There are: ${[...known].join(', ')}. Set it anew: bkp schedule set ${name} --scopes …`,
    );
  }
  const wanted = scopes === null ? new Map() : new Map([...known].map((scope) => [scope, scopes.includes(scope)]));
  const selected = selectSources(sources, { only: undefined, scopes: wanted });
  if (project === null) return selected;
  return { ...selected, sources: selected.sources.map((source) => limitedTo(project, source)) };
}

/** The snapshots of one project are the folder of its name. */
function limitedTo(project: string, source: Source): Source {
  return source.type === 'directory' && source.scope === 'snapshots' ? { ...source, only: project } : source;
}
