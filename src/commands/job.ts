import type { ByteSink } from '../base/byte-source.js';
import type { ExitCode } from '../base/exit-codes.js';
import type { Kept } from '../operations/deps.js';
import type { Output } from '../ui/output.js';
import type { GlobalOptions } from './global-options.js';

/** Standard output as a place for an archive. */
export interface StandardOutput {
  readonly isTerminal: boolean;
  /** What is written there is gone: `/dev/null`, also where it was closed when the process began. */
  isNowhere(): boolean;
  /** The file that it leads to, where it does. */
  file(): string | undefined;
  /** From now on it is for the archive alone. */
  handOver(): ByteSink;
}

/** What a command gets from the process it runs in. */
export interface CommandDeps {
  /** The working folder. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted with the `BkpError` that the run ends with. */
  readonly signal: AbortSignal;
  readonly output: Output;
  readonly stdout: StandardOutput;
  /** Milliseconds since the run began. */
  readonly elapsed: () => number;
  /** Of a process that runs several command lines, one after the other. */
  readonly kept: Kept;
}

/** A command line that was understood. */
export interface Job {
  readonly name: string;
  readonly dryRun: boolean;
  readonly globals: GlobalOptions;
  /** Rejects with a `BkpError`; anything else that is thrown is a bug. */
  run(deps: CommandDeps): Promise<ExitCode>;
}

/** Told by the one command that was called. */
export type Choose = (job: Job) => void;
