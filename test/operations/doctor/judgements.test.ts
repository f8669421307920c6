import { expect, it } from 'vitest';
import { judgeSpace } from '../../../src/operations/doctor/free-space.js';
import { judgeNode } from '../../../src/operations/doctor/node-version.js';

it.each([
  ['18.20.0', 'fail'],
  ['20.18.3', 'fail'],
  ['20.19.0', 'ok'],
  ['22.1.0', 'ok'],
])('Node.js %s is %s', (version, verdict) => {
  expect(judgeNode(version).verdict).toBe(verdict);
});

it('space must be there for the databases, and should be for all of it', () => {
  const data = { bytes: 100, databaseBytes: 40 };
  const verdicts = [39, 40, 139, 140].map((free) => judgeSpace(free, data, '/x').verdict);
  expect(verdicts).toEqual(['fail', 'warn', 'warn', 'ok']);
});
