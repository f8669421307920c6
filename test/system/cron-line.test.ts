import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bkpWords } from '../../src/system/bkp-call.js';
import { cronLine } from '../../src/system/cron-line.js';
import { cronTimes, systemZone, type CronSchedule } from '../../src/system/cron-times.js';
import { instanceKey } from '../../src/system/instance-key.js';
import { oddNames, temporaryFolder } from '../helpers/surroundings.js';

/** What becomes of a command in cron (crontab(5)): a `%` ends it unless a backslash stands before it, which is taken away. */
function asCron(command: string): string {
  return command.replace(/(\\?)%.*/g, (rest, escape: string) => {
    if (escape === '') return '';
    return `%${asCron(rest.slice(2))}`;
  });
}

function wordsOf(line: string, { cron }: { readonly cron: boolean }): readonly string[] {
  const command = line.split(' ').slice(5).join(' ');
  const script = cron ? asCron(command) : command;
  const ran = spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(ran.stderr);
  return ran.stdout.split('\0').slice(0, -1);
}
const expressible = [...oddNames, "it's", "''", '%', "%'%", '100%', '$(id)', '`id`', '&& id', '#', ' ', 'ä'].filter(
  (name) => !/[\p{Cc}\\]/u.test(name),
);

describe('a line of a crontab', () => {
  it.each([{ cron: true }, { cron: false }])('gives the shell the words that were meant (%s)', ({ cron }) => {
    const program = join(temporaryFolder(), 'tell words');
    writeFileSync(program, `#!/bin/sh\nprintf '%s\\0' "$@"\n`, { mode: 0o755 });
    for (const odd of expressible) {
      const line = cronLine('*/10 * * * *', [program, odd, 'last']);
      expect(wordsOf(line, { cron })).toEqual([odd, 'last']);
    }
  });

  it('is plain where the words are', () => {
    const call = { node: '/usr/bin/node', script: '/opt/bkp/bin/bkp.js', root: '/srv/cms', storage: undefined };
    const plain = bkpWords({ ...call, configFile: '/etc/bkp/cms.yaml' }, 'schedule', 'run', '-q');
    expect(cronLine('*/10 * * * *', plain)).toBe(
      '*/10 * * * * /usr/bin/node /opt/bkp/bin/bkp.js -C /srv/cms -c /etc/bkp/cms.yaml schedule run -q',
    );
    expect(bkpWords({ ...call, configFile: undefined, storage: '/mnt/b' }, 'create')).toEqual([
      ...['/usr/bin/node', '/opt/bkp/bin/bkp.js', '-C', '/srv/cms', '--storage', '/mnt/b', 'create'],
    ]);
  });

  it('refuses what no cron, or not every cron, would pass on', () => {
    for (const [word, why] of [
      ['new\nline', 'control characters: "new\\nline"'],
      ['bell\u0007', 'control characters'],
      ['back\\slash', 'a backslash: back\\slash'],
      ['x'.repeat(991), 'the command has 991 bytes, and cron takes 990'],
      ['ä'.repeat(500), 'the command has 1002 bytes'],
    ] as const) {
      expect(() => cronLine('* * * * *', [word])).toThrow(why);
    }
    expect(() => cronLine('* * * * *', ['x'.repeat(990)])).not.toThrow();
  });
});

describe('the times of a schedule', () => {
  const at = { name: 's', every: 'daily', minute: 30, hour: 3, weekday: 1, day: 1, timezone: undefined } as const;
  const times = (schedule: Partial<CronSchedule>): readonly string[] => cronTimes({ ...at, ...schedule }, 'UTC').times;

  it('are five fields', () => {
    expect(times({ every: 'hourly' })).toEqual(['30 * * * *']);
    expect(times({ every: 'daily' })).toEqual(['30 3 * * *']);
    expect(times({ every: 'weekly', weekday: 0 })).toEqual(['30 3 * * 0']);
    expect(times({ every: 'monthly', day: 28 })).toEqual(['30 3 28 * *']);
  });

  it('name a day of every month, once', () => {
    for (const day of [29, 30, 31]) {
      const { times: lines, note } = cronTimes({ ...at, every: 'monthly', day }, 'UTC');
      const days = lines.map((line) => line.split(' ').slice(2, 4));
      for (let month = 1; month <= 12; month += 1) {
        const length = month === 2 ? 28 : [4, 6, 9, 11].includes(month) ? 30 : 31;
        const due = days.filter(([, months]) => monthsIn(months!).includes(month)).map(([named]) => Number(named));
        expect(due).toEqual([Math.min(day, length)]);
      }
      expect(note).toBe('s: in February it is run on the 28th, in leap years too');
    }
  });

  it('are of the system’s own zone, under whatever name', () => {
    expect(cronTimes({ ...at, timezone: 'Etc/UTC' }, 'UTC').times).toHaveLength(1);
    expect(cronTimes({ ...at, timezone: systemZone() }, systemZone()).times).toHaveLength(1);
    for (const timezone of ['Europe/Berlin', 'No/Where']) {
      expect(() => cronTimes({ ...at, timezone }, 'UTC')).toThrow(
        `cron cannot run s in ${timezone}: it knows UTC alone`,
      );
    }
  });
});

function monthsIn(field: string): readonly number[] {
  return field.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, n) => first + n);
  });
}

it('an instance is named by its own key', () => {
  expect(instanceKey('My Site / 2', '/srv/a')).toMatch(/^my-site-2-[0-9a-f]{8}$/);
  expect(instanceKey('app', '/srv/a')).not.toBe(instanceKey('app', '/srv/b'));
  expect(instanceKey('a', '/srv')).toBe(instanceKey('a', '/srv'));
  for (const name of [...oddNames, '日本', '%', ''])
    expect(instanceKey(name, '/')).toMatch(/^[a-z0-9][a-z0-9-]{7,49}$/);
});
