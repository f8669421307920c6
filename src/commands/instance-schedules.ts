import type { Config } from '../config/config.js';
import type { Deps } from '../operations/deps.js';
import { openScheduleStore, type ScheduleStore } from '../operations/schedule-store.js';
import type { Storage } from '../storage/storage.js';

export interface Scheduled {
  readonly config: Pick<Config, 'instance' | 'sources'>;
  readonly storage: Storage;
}

/** Where the schedules of an instance lie. */
export function schedulesOf({ config, storage }: Scheduled, deps: Deps): ScheduleStore {
  return openScheduleStore({ configured: config.sources, storage, instance: config.instance }, deps);
}
