import { systemClock } from '../../src/base/clock.js';
import type { Using } from './instance.js';

const hour = 60 * 60 * 1000;

/** A backup that begins when files written just now have settled. */
export const later: Using = { clock: { ...systemClock, now: () => systemClock.now() + hour } };
