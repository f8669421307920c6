import { BkpError, never } from '../base/errors.js';

/** When a schedule is due, as far as a crontab can say it. */
export interface CronSchedule {
  readonly name: string;
  readonly every: 'hourly' | 'daily' | 'weekly' | 'monthly';
  /** 0 to 59. */
  readonly minute: number;
  /** 0 to 23; not of an hourly one. */
  readonly hour: number;
  /** 0 (Sunday) to 6, of a weekly one. */
  readonly weekday: number;
  /** 1 to 31, of a monthly one: the last day of a shorter month. */
  readonly day: number;
  /** An IANA name; undefined is the system's. */
  readonly timezone: string | undefined;
}

export interface CronTimes {
  /** Fields of one line each. */
  readonly times: readonly string[];
  /** Where it is not quite what was asked for. */
  readonly note: string | undefined;
}

/**
 * The times of a schedule in a crontab. Cron knows the time zone of the system alone (what `CRON_TZ` does differs): throws
 * `cron-inexpressible` for a schedule with another.
 */
export function cronTimes(schedule: CronSchedule, systemZone: string): CronTimes {
  const { name, every, minute, hour, weekday, day, timezone } = schedule;
  if (timezone !== undefined && zoneName(timezone) !== zoneName(systemZone)) {
    throw new BkpError('cron-inexpressible', `cron cannot run ${name} in ${timezone}: it knows ${systemZone} alone`, {
      hint: 'Install without --direct: `bkp schedule run` minds time zones.',
    });
  }
  switch (every) {
    case 'hourly':
      return only(`${minute} * * * *`);
    case 'daily':
      return only(`${minute} ${hour} * * *`);
    case 'weekly':
      return only(`${minute} ${hour} * * ${weekday}`);
    case 'monthly':
      return monthly(name, `${minute} ${hour}`, day);
    default:
      return never(every);
  }
}

/** A day that not every month has: the shorter ones have lines of their own. */
function monthly(name: string, time: string, day: number): CronTimes {
  if (day <= 28) return only(`${time} ${day} * *`);
  const february = `${time} 28 2 *`;
  const others = day === 31 ? [`${time} 31 1,3,5,7,8,10,12 *`, `${time} 30 4,6,9,11 *`] : [`${time} ${day} 1,3-12 *`];
  return { times: [...others, february], note: `${name}: in February it is run on the 28th, in leap years too` };
}

const only = (time: string): CronTimes => ({ times: [time], note: undefined });

/** One name for all that mean the same zone (`UTC` and `Etc/UTC`). */
function zoneName(timeZone: string): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return timeZone;
  }
}

/** The time zone of the system, as an IANA name. */
export const systemZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;
