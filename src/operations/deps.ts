import type { Clock } from '../base/clock.js';
import type { Progress } from '../base/progress.js';

/** What operations get from outside: time, cancelling, and whom to tell. */
export interface Deps {
  readonly clock: Clock;
  readonly progress: Progress;
  /** Aborted with the `BkpError` that the run ends with. */
  readonly signal: AbortSignal;
  /** Where private temporary files may lie (`TMPDIR`). */
  readonly temporaryFolder: string;
  readonly host: string;
  /** Of bkp itself. */
  readonly version: string;
  /** Told what is done, for `-v`: stable id, then the text. */
  readonly step: (id: string, message: string) => void;
}
