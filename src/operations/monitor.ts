import { errorText } from '../base/errors.js';
import { finding, type Finding } from '../manifest/findings.js';
import { ping, type NotifySettings, type PingEvent } from '../system/notify.js';
import type { Deps } from './deps.js';

/** A service that expects to hear of every run. Telling it never changes what becomes of the run. */
export interface Monitor {
  started(): Promise<void>;
  /** What lacks something is told as a failure. Gives notes on what could not be told. */
  ended(run: { readonly id: string; readonly findings: readonly Finding[] }): Promise<readonly Finding[]>;
  failed(error: unknown): Promise<void>;
}

export const noMonitor: Monitor = {
  started: () => Promise.resolve(),
  ended: () => Promise.resolve([]),
  failed: () => Promise.resolve(),
};

/** The ping URL of the configuration, where there is one. */
export function configuredMonitor(settings: NotifySettings | undefined, deps: Pick<Deps, 'step'>): Monitor {
  if (settings === undefined) return noMonitor;
  const notes: Finding[] = [];
  const tell = async (event: PingEvent, body?: string): Promise<void> => {
    const result = await ping(settings, event, body);
    if (result.kind === 'told') {
      deps.step('notified', `told ${result.host}: ${event}`);
      return;
    }
    const message = `${result.host} was not told of the ${event}: it ${result.reason}`;
    deps.step('notify-failed', message);
    notes.push(finding('notify-failed', message));
  };
  return {
    started: () => tell('start'),
    ended: async ({ id, findings }) => {
      const lacking = findings.filter(({ kind }) => kind !== 'note');
      if (lacking.length === 0) await tell('success');
      else await tell('fail', [`${id} is incomplete`, ...lacking.map(lineOf)].join('\n'));
      return notes;
    },
    failed: (error) => tell('fail', errorText(error)),
  };
}

const lineOf = ({ id, path, source, message }: Finding): string => `${path ?? source ?? ''}: ${message} (${id})`;
