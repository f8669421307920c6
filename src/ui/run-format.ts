import type { RecordedRun, RunState } from '../catalog/run-record.js';
import { timestamp } from '../base/clock.js';
import type { RunFields } from './json-lines/log.js';
import type { Look } from './look.js';

export function stateText(state: RunState, { chalk }: Look): string {
  switch (state) {
    case 'done':
      return chalk.green('done');
    case 'incomplete':
      return chalk.yellow('incomplete');
    case 'running':
      return 'running';
    case 'failed':
    case 'killed':
      return chalk.red(state);
  }
}

const orNull = (time: number | undefined): string | null => (time === undefined ? null : timestamp(time));

/** A run as `--json` tells it. */
export function runFields(run: RecordedRun): RunFields {
  return {
    run: run.id,
    kind: run.kind,
    instance: run.instance ?? null,
    schedule: run.schedule ?? null,
    slot: orNull(run.slot),
    backup: run.backup ?? null,
    state: run.state,
    startedAt: timestamp(run.startedAt),
    endedAt: orNull(run.endedAt),
    runExitCode: run.exitCode ?? null,
    bytes: run.bytes ?? null,
    files: run.files ?? null,
    error: run.error ?? null,
  };
}
