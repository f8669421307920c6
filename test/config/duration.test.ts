import { expect, it } from 'vitest';
import { longestAge, longestDuration, parseDuration } from '../../src/config/duration.js';

it.each([
  ['250ms', 250],
  ['30s', 30_000],
  ['5m', 300_000],
  ['1.5h', 5_400_000],
  ['7d', longestDuration],
  ['10 s', 10_000],
  ['4', 4000],
  ['0.5', 500],
  ['0', 0],
  [4, 4000],
  [0.25, 250],
])('reads %j as %d milliseconds', (raw, milliseconds) => {
  expect(parseDuration(raw)).toEqual({ ok: true, milliseconds });
});

it.each([
  '',
  ' ',
  'soon',
  '-5s',
  '-1',
  '5 minutes ago',
  '5x',
  '1y',
  '1e3',
  '0x10',
  's',
  '1m30s',
  'Infinity',
  -1,
  NaN,
  null,
  true,
  [5],
])('refuses %j', (raw) => {
  expect(parseDuration(raw)).toEqual({
    ok: false,
    says: expect.stringMatching(/^must be a duration such as /) as string,
  });
});

it.each(['8d', '99999999999999999999h', Infinity, 1e300])('refuses the nonsense of %j', (raw) => {
  expect(parseDuration(raw)).toMatchObject({
    ok: false,
    says: expect.stringContaining('at most seven days') as string,
  });
});

it('takes an age that is longer than any wait', () => {
  expect(parseDuration('8d', longestAge)).toEqual({ ok: true, milliseconds: 8 * 24 * 60 * 60 * 1000 });
  expect(parseDuration('1001d', longestAge)).toMatchObject({ ok: false });
});
