/** What becomes of a backup. */
export interface Decision<T> {
  readonly backup: T;
  readonly keep: boolean;
  /** Why it is kept; empty where it is not. */
  readonly reasons: readonly string[];
}
