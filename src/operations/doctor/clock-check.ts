import { localTime } from '../../base/clock.js';
import { BkpError } from '../../base/errors.js';
import { containerOf, parseBackupId, withoutEnding } from '../../policy/backup-name.js';
import { fail, ok, warn, type Check, type Subject } from './check.js';

/** Milliseconds since 1970: no backup of bkp is older. A machine without a battery starts before. */
const beginning = Date.UTC(2025, 0, 1);
/** Milliseconds: what clocks of two machines differ by. */
const tolerance = 5 * 60 * 1000;

/** Backups are ordered by the times in their names. */
export const clock: Check<Subject> = {
  id: 'clock',
  run: async ({ storage }, deps) => {
    const time = deps.clock.now();
    if (time < beginning) return [fail(`the clock says ${localTime(time)}`, 'Set it; backups are ordered by it.')];
    const times = (await names(storage)).flatMap((name) => {
      return containerOf(name) === undefined ? [] : (parseBackupId(withoutEnding(name))?.time ?? []);
    });
    const newest = times.reduce((latest, one) => Math.max(latest, one), 0);
    if (newest <= time + tolerance) return [ok(`the clock says ${localTime(time)}`)];
    return [
      warn(
        `the newest backup is of ${localTime(newest)}, but it is ${localTime(time)}: the clock was or is wrong`,
        'Set the clock; a backup that is of a time to come is not taken for the latest.',
      ),
    ];
  },
};

async function names(storage: Subject['storage']): Promise<readonly string[]> {
  try {
    return (await storage.list()).map(({ name }) => name);
  } catch (error) {
    if (error instanceof BkpError && error.id === 'storage-not-found') return [];
    throw error;
  }
}
