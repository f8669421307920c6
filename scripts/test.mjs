// The whole check, as `npm test` and CI run it: format, lint, types, build, tests. Ends with `N passed, N failed`.
// With BKP_REQUIRE_TOOLS=1 a skipped test is a failure: every tool the tests use must then be there.
// With BKP_TEST_ROUNDS=full what is left to chance is tried more often: test/helpers/rounds.ts.
// With BKP_TEST_PROCESSES=1 each run of the command line is a process of its own: test/helpers/resident.ts.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';

// Foreign tools keep names as they are only where the locale is UTF-8.
process.env.LC_ALL = 'C.UTF-8';

const bin = (name) => join('node_modules', '.bin', name);
const run = (command, args) => spawnSync(command, args, { stdio: 'inherit' }).status ?? 1;

/** Beside one another on two cores: the lint, which knows all types, takes as long as the others together. */
const lanes = [
  [['lint', bin('eslint'), ['.']]],
  [
    ['format', bin('prettier'), ['--check', '--log-level', 'warn', '.']],
    ['types', bin('tsc'), ['-p', 'tsconfig.test.json']],
    // With the same sources and settings as the types, which have been checked by then.
    ['build', bin('tsc'), ['-p', 'tsconfig.json', '--noCheck']],
  ],
];

/** Runs a check and tells what it says when it has ended, so that two do not speak at once. */
const passes = async ([name, command, args]) => {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (more) => (text += more));
  const status = await new Promise((resolve) => {
    child.on('error', (error) => {
      text += `${error.message}\n`;
      resolve(1);
    });
    child.on('close', resolve);
  });
  process.stdout.write(`== ${name}\n${text}${status === 0 ? '' : `${name} failed\n`}`);
  return status === 0;
};

/** All are run, and each says what is wrong; one behind a failed one is not. */
const lane = async (checks) => {
  for (const check of checks) if (!(await passes(check))) return false;
  return true;
};

if ((await Promise.all(lanes.map(lane))).includes(false)) {
  console.log('0 passed, 1 failed');
  process.exit(1);
}

/** Where Linux has a file system in memory. */
const memory = '/dev/shm';
const GiB = 2 ** 30;

/**
 * A folder for all temporary files of the tests: in memory where there is enough of it, for most of them wait for the disk
 * longer than they work; unless TMPDIR says where. Open to all, as some tests are done by another user.
 */
function testFolder() {
  if (process.env.TMPDIR === undefined && isRoomy(memory)) {
    const folder = mkdtempSync(join(memory, 'bkp-'));
    chmodSync(folder, 0o1777);
    if (runsPrograms(folder)) return folder;
    rmSync(folder, { recursive: true });
  }
  const folder = mkdtempSync(join(tmpdir(), 'bkp-'));
  chmodSync(folder, 0o1777);
  return folder;
}

function isRoomy(path) {
  try {
    const { bavail, bsize } = statfsSync(path);
    return Math.min(bavail * bsize, freemem()) > 6 * GiB;
  } catch {
    return false;
  }
}

/** It may be mounted so that none is run from it. */
function runsPrograms(folder) {
  const program = join(folder, 'program');
  writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
  return spawnSync(program).status === 0;
}

console.log('== tests');
const folder = testFolder();
process.env.TMPDIR = folder;
const report = join(folder, 'report.json');
const status = run(bin('vitest'), [
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...process.argv.slice(2),
]);
const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
rmSync(folder, { recursive: true, force: true });

const skipped = testResults.flatMap(({ assertionResults }) =>
  assertionResults.filter(({ status }) => status !== 'passed' && status !== 'failed'),
);
for (const { fullName } of skipped) console.log(`skipped: ${fullName}`);
const skippedCounts = process.env.BKP_REQUIRE_TOOLS === '1' ? numPendingTests : 0;
if (skippedCounts > 0) console.log('BKP_REQUIRE_TOOLS=1: a skipped test is a failure');
// A suite that fails outside its tests fails the run without a failed test.
const failed = Math.max(numFailedTests + skippedCounts, status === 0 ? 0 : 1);
console.log(`${numPassedTests} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
