import { BkpError } from '../../base/errors.js';
import { estimatePause, refuseLongPause } from '../../sqlite/pause.js';
import { fail, ok, type Check, type Subject } from './check.js';

/** Whether a backup would refuse to keep an application waiting for so long, by the very same estimate. */
export const longPause: Check<Subject> = {
  id: 'long-pause',
  run: ({ scan: { rollback }, maxPause }) => {
    const bytes = rollback.reduce((sum, one) => sum + one.bytes, 0);
    if (rollback.length === 0) return [ok('writers wait for milliseconds')];
    try {
      if (maxPause !== 'none') refuseLongPause(rollback, maxPause);
    } catch (error) {
      if (!(error instanceof BkpError)) throw error;
      return [fail(error.message, error.hint ?? '', error.path)];
    }
    const seconds = estimatePause(bytes) / 1000;
    const long = seconds < 0.1 ? 'less than 0.1 s' : `about ${seconds.toFixed(1)} s`;
    return [ok(`writers wait for ${long} while databases with a rollback journal are copied (${rollback.length})`)];
  },
};
