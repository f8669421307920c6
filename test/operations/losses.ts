import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { newTarget, restore, verify } from '../helpers/instance.js';
import type { Finding, FindingId } from '../../src/manifest/findings.js';
import type { CreateResult } from '../../src/operations/create-backup.js';

/** Id and path of each. */
export const briefly = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ id, path }) => `${id} ${path ?? ''}`.trim());

/**
 * The backup was made without these, says so wherever it is asked, and comes back with what it has. Gives where it was
 * restored to.
 */
export async function expectLosses(
  made: CreateResult,
  ...losses: readonly `${FindingId} ${string}`[]
): Promise<string> {
  expect([...briefly(made.findings)].sort()).toEqual([...losses].sort());
  expect([made.complete, made.manifest.complete]).toEqual([false, false]);
  expect(made.manifest.findings).toEqual(made.findings);
  const verified = await verify(made.file);
  expect([verified.verdict, briefly(verified.findings)]).toEqual(['incomplete', briefly(made.findings)]);
  const target = newTarget();
  const { findings } = await restore(made.file, target);
  expect(briefly(findings)).toEqual(briefly(made.findings));
  expect(readFileSync(`${made.file}.sha256`, 'utf8')).toContain(made.sha256);
  return target;
}
