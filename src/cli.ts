import { exit } from 'node:process';
import { errorText } from './base/errors.js';
import { exitCodes, type ExitCode } from './base/exit-codes.js';
import { keepHeapSmall } from './base/small-heap.js';
import { readVersion } from './commands/version.js';
import type { Kept } from './operations/deps.js';
import { openScreens, type Screens } from './ui/screens.js';

/**
 * Runs a command line: sets `process.exitCode` and resolves when everything is told. Never rejects. `kept`: for those that a
 * process runs one after the other; without it each starts and ends its own.
 */
export async function main(args: readonly string[], kept: Kept = {}): Promise<void> {
  // Where nothing is decided, nothing succeeded.
  process.exitCode = exitCodes.failed;
  keepHeapSmall();
  const screens = openScreens(process.stdout, process.stderr);
  const exitCode = isVersionAlone(args)
    ? tellVersion(screens)
    : await (await import('./run.js')).run(args, screens, kept);
  process.exitCode = await told(screens, exitCode);
  // A reader that does not read: what it did not get it is never to get.
  if (!screens.out.isStuck) return;
  await screens.err.flushed();
  exit(process.exitCode);
}

/** Told without a look at anything else: scripts and monitors ask for it often. */
const isVersionAlone = (args: readonly string[]): boolean => args.length === 1 && args[0] === '--version';

function tellVersion({ out }: Screens): ExitCode {
  out.write(`${readVersion()}\n`);
  return exitCodes.done;
}

/** Waits until all is written. A result that could not be told is a failure; a reader that went away is not. */
async function told(screens: Screens, exitCode: ExitCode): Promise<ExitCode> {
  const failure = await screens.out.flushed();
  if (failure === undefined) return exitCode;
  screens.err.write(`error: standard output could not be written to: ${errorText(failure)}\n`);
  await screens.err.flushed();
  return exitCode === exitCodes.done ? exitCodes.failed : exitCode;
}
