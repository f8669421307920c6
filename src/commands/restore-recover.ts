import { exitCodes, type ExitCode } from '../base/exit-codes.js';
import { recoverRestore } from '../operations/recover-restore.js';
import { recoverView } from '../ui/restore-recover-view.js';
import type { GlobalOptions } from './global-options.js';
import { openInstance } from './instance.js';
import type { CommandDeps } from './job.js';
import { operationDeps } from './operation-deps.js';

/** Ends a restore in place that was killed: forward where its swap had begun so, else back. */
export async function recover(globals: GlobalOptions, deps: CommandDeps): Promise<ExitCode> {
  const { config, storage } = await openInstance(globals, deps);
  const { root, sources, lockWait } = config;
  const result = await recoverRestore({ root, configured: sources, storage, lockWait }, operationDeps(deps));
  const exitCode = exitCodes.done;
  deps.output.render(recoverView(result, root, { exitCode, durationMs: deps.elapsed() }));
  return exitCode;
}
