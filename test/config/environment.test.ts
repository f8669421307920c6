import { expect, it } from 'vitest';
import { parseEnvironment, parseFlags } from '../../src/config/environment.js';

it('reads every variable', () => {
  const { values, faults } = parseEnvironment({
    BKP_ROOT: '/srv/site',
    BKP_CONFIG: 'site.yaml',
    BKP_STORAGE: '../backups',
    BKP_FORMAT: 'tar.gz',
    BKP_LEVEL: '9',
    BKP_LOCK_WAIT: '5m',
    BKP_NO_INPUT: '1',
    BKP_READ_ONLY: 'yes',
  });
  expect(faults).toEqual([]);
  expect(values).toEqual({
    root: '/srv/site',
    config: 'site.yaml',
    storage: '../backups',
    format: 'tar.gz',
    level: 9,
    lockWait: 300_000,
    noInput: true,
    readOnly: true,
  });
});

it('takes an empty variable as not set', () => {
  const { values, faults } = parseEnvironment({ BKP_ROOT: '', BKP_LEVEL: '', BKP_NO_INPUT: '' });
  expect(faults).toEqual([]);
  expect(Object.values(values).every((value) => value === undefined)).toBe(true);
});

it('names the variable of every fault', () => {
  const { faults } = parseEnvironment({
    BKP_ROOT: '~/site',
    BKP_CONFIG: 'a\nb',
    BKP_STORAGE: ' ',
    BKP_FORMAT: 'ZIP',
    BKP_LEVEL: '6.5',
    BKP_LOCK_WAIT: '-1s',
    BKP_NO_INPUT: 'maybe',
    BKP_READ_ONLY: 'ro',
  });
  expect(faults.map(({ at }) => at)).toEqual([
    'BKP_ROOT',
    'BKP_CONFIG',
    'BKP_STORAGE',
    'BKP_FORMAT',
    'BKP_LEVEL',
    'BKP_LOCK_WAIT',
    'BKP_NO_INPUT',
    'BKP_READ_ONLY',
  ]);
  expect(faults[4]?.says).toBe('must be a whole number from 0 (store) to 9 (smallest), not "6.5"');
});

it('names the flag of every fault', () => {
  const { faults } = parseFlags({ format: '7z', level: '12', lockWait: 'long' });
  expect(faults.map(({ at }) => at)).toEqual(['--format', '--level', '--lock-wait']);
});

it.each([
  ['yes', true],
  ['TRUE', true],
  ['on', true],
  ['0', false],
  ['no', false],
  ['off', false],
])('reads BKP_NO_INPUT=%s as %s', (raw, value) => {
  expect(parseEnvironment({ BKP_NO_INPUT: raw }).values.noInput).toBe(value);
});

it('takes a level as a text or a number', () => {
  expect(parseFlags({ level: '0' }).values.level).toBe(0);
  expect(parseFlags({ level: 9 }).values.level).toBe(9);
});
