/** Takes what must be undone, whatever happens. */
export interface Cleanup {
  /** Done in reverse order of being deferred, on success and on failure. */
  defer(undo: () => Promise<void> | void): void;
}

/** Runs `work`, then all that it deferred. A failure while cleaning up joins the cause; it never hides it. */
export async function withCleanup<T>(work: (cleanup: Cleanup) => Promise<T>): Promise<T> {
  const undos: (() => Promise<void> | void)[] = [];
  const failures: unknown[] = [];
  let result: { readonly value: T } | undefined;
  try {
    result = { value: await work({ defer: (undo) => undos.push(undo) }) };
  } catch (error) {
    failures.push(error);
  }
  for (const undo of undos.reverse()) {
    try {
      await undo();
    } catch (error) {
      failures.push(error);
    }
  }
  if (result !== undefined && failures.length === 0) return result.value;
  if (failures.length === 1 || (result === undefined && failures[0] instanceof Error)) {
    throw joined(failures);
  }
  throw new AggregateError(failures, 'cleaning up failed');
}

/** The cause is what is thrown; later failures are told on it. */
function joined([cause, ...later]: readonly unknown[]): unknown {
  if (cause instanceof Error && later.length > 0) {
    const texts = later.map((error) => (error instanceof Error ? error.message : String(error)));
    const message = `${cause.message} (and while cleaning up: ${texts.join('; ')})`;
    // An AbortError's message is a getter, and assigning to it would throw: the cause counts more than its text.
    Reflect.defineProperty(cause, 'message', { value: message, configurable: true, writable: true });
  }
  return cause;
}
