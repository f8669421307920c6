import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSchedule } from '../../src/policy/schedule-row.js';
import { isScheduleName, retentionOf } from '../../src/policy/schedule.js';
import { faultText, row, schedule } from './schedules.js';

/** The one field of the definition that a column decides, or its fault. */
function read(column: string, field: string, value: unknown, others: Readonly<Record<string, unknown>> = {}): unknown {
  const parsed = parseSchedule(row({ ...others, [column]: value }));
  return parsed.ok ? parsed.schedule[field as keyof typeof parsed.schedule] : faultText(parsed).join('; ');
}

describe('a row', () => {
  it('becomes a definition', () => {
    const full = row({
      frequency: 'weekly',
      day_of_week: 'sun',
      scopes: '["databases","uploads"]',
      project: 'site-a',
      format: 'zip',
      options: '{"encrypt":true,"hint":"in the safe","level":9,"exclude":["uploads/cache/**"],"keepMonthly":12}',
      updated_at: '2024-02-01T12:00:00+02:00',
      color: 'an application may have columns of its own',
    });
    expect(parseSchedule(full)).toEqual({
      ok: true,
      schedule: {
        name: 'nightly',
        frequency: 'weekly',
        timeOfDay: '03:30',
        dayOfWeek: 'sun',
        dayOfMonth: null,
        timezone: 'Europe/Berlin',
        keep: 7,
        scopes: ['databases', 'uploads'],
        project: 'site-a',
        format: 'zip',
        options: { encrypt: true, hint: 'in the safe', level: 9, exclude: ['uploads/cache/**'], keepMonthly: 12 },
        enabled: true,
        createdAt: Date.UTC(2024, 0, 1),
        updatedAt: Date.UTC(2024, 1, 1, 10),
      },
    });
  });

  it('says what it keeps in keep and in its options, and where its days are told', () => {
    const { policy, timezone } = retentionOf(schedule({ keep: 3, options: { keepDaily: 5, level: 1 } }));
    expect([policy.keepLast, policy.keepDaily, policy.keepWeekly, timezone]).toEqual([
      3,
      5,
      undefined,
      'Europe/Berlin',
    ]);
  });

  it('has all its faults told at once, each with its column and what it holds', () => {
    const wrong = row({
      name: 'Nightly backup',
      frequency: 'fortnightly',
      time_of_day: '25:99',
      timezone: 'Mars/Olympus',
      keep: 0,
      scopes: '[]',
      project: '../etc',
      format: 'rar',
      options: '{"encript":true,"level":11}',
      enabled: 'yes',
      created_at: 'today',
      updated_at: null,
    });
    expect(faultText(parseSchedule(wrong))).toEqual([
      'name must be a name of 1 to 32 small letters, digits and "-" that begins with a letter, and not manual, safety or latest, not "Nightly backup"',
      'frequency must be hourly, daily, weekly or monthly, not "fortnightly"',
      'time_of_day must be a time between 00:00 and 23:59, not "25:99"',
      'timezone must be a time zone such as Europe/Berlin or UTC, not "Mars/Olympus"',
      'keep must be a whole number from 1 to 9999, not 0',
      'scopes must be a list of scopes such as databases,uploads, or ["databases","uploads"], not "[]"',
      'project must be the name of a folder in snapshots, not "../etc"',
      'format must be zip or tar.gz, not "rar"',
      'enabled must be 1 or 0, not "yes"',
      'created_at must be a date and time such as 2026-11-22T14:30:00Z, not "today"',
      'updated_at must be a date and time such as 2026-11-22T14:30:00Z, not empty',
      'options has no key "encript": the keys are encrypt, hint, comment, level, exclude, keepHourly, keepDaily, keepWeekly, keepMonthly, keepYearly',
      'options.level must be a whole number from 0 (store) to 9 (smallest), not 11',
    ]);
  });

  it('with faults still has its name, where that is one', () => {
    expect(parseSchedule(row({ keep: 0 }))).toMatchObject({ ok: false, name: 'nightly' });
    expect(parseSchedule(row({ name: 'x'.repeat(100_000), keep: 0 }))).toMatchObject({ ok: false, name: undefined });
  });

  it('is checked as SQLite gives it, whatever types its columns have', () => {
    const database = new Database(':memory:');
    database.exec(
      'CREATE TABLE backup_schedule (name TEXT PRIMARY KEY, frequency TEXT, time_of_day TEXT, day_of_week TEXT, day_of_month INTEGER, timezone TEXT, keep INTEGER, scopes TEXT, project TEXT, format TEXT, options TEXT, enabled INTEGER, created_at TEXT, updated_at TEXT)',
    );
    database.exec(
      `INSERT INTO backup_schedule VALUES ('good', 'monthly', '03:30', 3, '31', '', '5', '', '', '', '', '1', datetime('now'), datetime('now'))`,
    );
    database.exec(
      `INSERT INTO backup_schedule VALUES (x'00ff', 7.5, x'', NULL, x'31', 1e300, 2.5, 9, 0.5, x'7a6970', 12, 9223372036854775807, 1700000000, -1)`,
    );
    for (const big of [false, true]) {
      const [good, bad] = database.prepare('SELECT * FROM backup_schedule ORDER BY keep DESC').safeIntegers(big).all();
      expect(faultText(parseSchedule(good))).toEqual([]);
      expect(parseSchedule(good)).toMatchObject({ schedule: { dayOfMonth: 31, keep: 5, timezone: null, options: {} } });
      const columns = faultText(parseSchedule(bad)).map((fault) => fault.slice(0, fault.indexOf(' ')));
      expect(columns.sort()).toEqual([
        'created_at',
        'enabled',
        'format',
        'frequency',
        'keep',
        'name',
        'options',
        'time_of_day',
        'timezone',
        'updated_at',
      ]);
    }
    database.close();
  });

  it('of nonsense has faults, and never throws', () => {
    const nonsense = fc.oneof(
      fc.anything({ withBigInt: true, withDate: true, withTypedArray: true }),
      fc.string(),
      fc.double(),
    );
    const columns = Object.keys(row());
    fc.assert(
      fc.property(fc.constantFrom(...columns), nonsense, (column, value) => {
        const parsed = parseSchedule(row({ frequency: 'monthly', [column]: value }));
        if (!parsed.ok) for (const { says } of parsed.faults) expect(says.length).toBeLessThan(1000);
      }),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(nonsense, (value) => {
        expect(parseSchedule(value).ok).toBe(false);
      }),
    );
    for (const value of [undefined, null, 1, 'daily', [], {}, new Date(0)]) expect(parseSchedule(value).ok).toBe(false);
  });
});

describe('a column', () => {
  it('time_of_day is a time with or without a leading zero, and with no seconds but 00', () => {
    const good = {
      '03:30': '03:30',
      '3:30': '03:30',
      '03:30:00': '03:30',
      '00:00': '00:00',
      '23:59': '23:59',
      '0:05': '00:05',
    };
    for (const [value, expected] of Object.entries(good))
      expect(read('time_of_day', 'timeOfDay', value)).toBe(expected);
    const bad = [
      '24:00',
      '23:60',
      '3',
      '330',
      '03:3',
      '3:30 am',
      '03.30',
      '03:30:15',
      '-1:30',
      ' 03:30',
      '٠٣:٣٠',
      '',
      210,
      null,
    ];
    for (const value of bad) expect(read('time_of_day', 'timeOfDay', value)).toMatch(/^time_of_day must be a time/);
  });

  it('day_of_week is a name, short or long, or a number from Monday on, and not 0', () => {
    const weekly = { frequency: 'weekly' };
    for (const value of ['wed', 'Wed', 'wednesday', 'WEDNESDAY', '3', 3, 3n]) {
      expect(read('day_of_week', 'dayOfWeek', value, weekly)).toBe('wed');
    }
    for (const value of ['7', 7, 'sun', 'Sunday']) expect(read('day_of_week', 'dayOfWeek', value, weekly)).toBe('sun');
    for (const value of ['0', 0, '8', 'we', 'wedn', 'mittwoch', 'mon,tue', 'monday ', 1.5, '-1']) {
      expect(read('day_of_week', 'dayOfWeek', value, weekly)).toMatch(/^day_of_week must be/);
    }
    for (const value of [null, '', undefined]) expect(read('day_of_week', 'dayOfWeek', value, weekly)).toBeNull();
  });

  it('day_of_month is a day from 1 to 31', () => {
    const monthly = { frequency: 'monthly' };
    for (const value of [31, '31', 31n, 31.0]) expect(read('day_of_month', 'dayOfMonth', value, monthly)).toBe(31);
    for (const value of [0, 32, 1.5, -1, 'last', '031x', NaN, Infinity, 2 ** 53, 2n ** 64n]) {
      expect(read('day_of_month', 'dayOfMonth', value, monthly)).toMatch(/^day_of_month must be/);
    }
    expect(read('day_of_month', 'dayOfMonth', null, monthly)).toBeNull();
  });

  it('of a day that the frequency does not use is not looked at', () => {
    expect(read('day_of_week', 'dayOfWeek', '0', { frequency: 'daily' })).toBeNull();
    expect(read('day_of_month', 'dayOfMonth', 99, { frequency: 'weekly' })).toBeNull();
  });

  it('name is small letters, digits and dashes, and none of the reserved ones', () => {
    for (const name of ['a', 'daily', 'every-2nd', 'x'.repeat(32)]) expect(isScheduleName(name)).toBe(true);
    for (const name of ['manual', 'safety', 'latest', '', '2nd', '-a', 'A', 'a b', 'a_b', 'é', 'x'.repeat(33), 'a\n']) {
      expect([name, isScheduleName(name)]).toEqual([name, false]);
    }
  });

  it('scopes is words with commas between, or a JSON list', () => {
    const both = ['databases', 'uploads'];
    const good = [
      'databases,uploads',
      ' databases , uploads ',
      '["databases","uploads"]',
      '["databases","uploads","uploads"]',
      both,
    ];
    for (const value of good) expect(read('scopes', 'scopes', value)).toEqual(both);
    expect(read('scopes', 'scopes', 'databases')).toEqual(['databases']);
    const bad = [
      'databases,',
      ',',
      '["databases"',
      '[1]',
      '[[]]',
      '[""]',
      'a\nb',
      {},
      1,
      'x'.repeat(201),
      `${'a,'.repeat(100)}a`,
    ];
    for (const value of bad) expect(read('scopes', 'scopes', value)).toMatch(/^scopes must be a list/);
  });

  it('project is one folder', () => {
    for (const value of ['site', 'Site A', 'naïve 🦉', '..a']) expect(read('project', 'project', value)).toBe(value);
    for (const value of ['a/b', '..', '.', '/a', 'C:', 'a\0', 'a\n', 'x'.repeat(256), '\ud800', 5]) {
      expect(read('project', 'project', value)).toMatch(/^project must be/);
    }
  });

  it('enabled is 1 or 0, also as text or as a truth value', () => {
    for (const value of [1, '1', true, 1n]) expect(read('enabled', 'enabled', value)).toBe(true);
    for (const value of [0, '0', false, 0n]) expect(read('enabled', 'enabled', value)).toBe(false);
    for (const value of [2, 'true', '', null, -1, 0.5])
      expect(read('enabled', 'enabled', value)).toMatch(/^enabled must/);
  });

  it('created_at is RFC 3339, or as SQL writes it, in UTC where it names no zone', () => {
    const noon = Date.UTC(2024, 1, 29, 12);
    const good = [
      '2024-02-29T12:00:00Z',
      '2024-02-29T14:00:00+02:00',
      '2024-02-29 12:00:00',
      '2024-02-29T12:00:00.000000',
      '2024-02-29 07:00:00-05:00',
    ];
    for (const value of good) expect([value, read('created_at', 'createdAt', value)]).toEqual([value, noon]);
    const bad = [
      '2023-02-29T12:00:00Z',
      '2024-02-29',
      '2024-13-01 00:00:00',
      '2024-02-29T24:00:00Z',
      '2024-02-29T12:00:00+25:00',
      '1709208000',
      1709208000,
      '+002024-02-29T12:00:00Z',
      '',
    ];
    for (const value of bad) expect(read('created_at', 'createdAt', value)).toMatch(/^created_at must be/);
  });

  it('options is a JSON object with known keys, within bounds', () => {
    expect(read('options', 'options', '{}')).toEqual({});
    expect(read('options', 'options', { comment: 'from a file' })).toEqual({ comment: 'from a file' });
    const bad: Readonly<Record<string, string>> = {
      '[]': 'options must be a JSON object such as {"encrypt":true}, not "[]"',
      nonsense: 'options must be a JSON object such as {"encrypt":true}, not "nonsense"',
      '{"__proto__":{"encrypt":true}}': 'options has no key "__proto__": the keys are',
      '{"encrypt":"yes"}': 'options.encrypt must be true or false, not "yes"',
      '{"passphrase":"secret"}': 'options has no key "passphrase": the keys are',
      '{"keepLast":3}': 'options has no key "keepLast": the keys are',
      '{"keepDaily":0}': 'options.keepDaily must be a whole number from 1 to 9999, not 0',
      '{"exclude":["a/**",5]}': 'options.exclude[1] must be a glob, not 5',
      '{"exclude":["/a"]}': 'options.exclude[0] must be relative, not "/a"',
      '{"comment":"two\\nlines"}':
        'options.comment must be a text of one line, of at most 1000 characters, not "two\\nlines"',
    };
    for (const [value, fault] of Object.entries(bad)) expect(read('options', 'options', value)).toContain(fault);
    expect(read('options', 'options', `{"a":${'['.repeat(40_000)}${']'.repeat(40_000)}}`)).toMatch(
      /^options has no key "a"/,
    );
    expect(read('options', 'options', ' '.repeat(100_001))).toMatch(/^options must be a JSON object/);
  });

  it('format cannot be tar.gz where the options ask for encryption', () => {
    const encrypt = { options: '{"encrypt":true}' };
    expect(read('format', 'format', 'TGZ')).toBe('tar.gz');
    expect(read('format', 'format', 'Zip', encrypt)).toBe('zip');
    expect(read('format', 'format', 'tar.gz', encrypt)).toBe(
      'options.encrypt needs the format zip: a tar.gz cannot be encrypted',
    );
  });
});
