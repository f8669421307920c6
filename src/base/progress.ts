/** What a long operation is doing at the moment. */
export type Phase = 'databases' | 'scan' | 'archive' | 'read-back' | 'copy' | 'verify' | 'stage' | 'check';

/** Told by operations, drawn (or not) by `ui`. */
export interface Progress {
  /** A phase begins; `totalBytes` is an estimate where it is given. */
  start(phase: Phase, totalBytes?: number): void;
  /** `bytes` more of the phase are done; `path` is the entry at hand. */
  advance(bytes: number, path?: string): void;
  finish(): void;
}

const nothing = (): void => undefined;

export const silentProgress: Progress = { start: nothing, advance: nothing, finish: nothing };
