/** Something that is being read. */
export interface Reading<T> {
  readonly done: Promise<T>;
}

/** So many are read ahead: more would not be faster, and take memory. */
const depth = 1;

/** Passes on what is read, in its order, while what comes next is being read. */
export async function* readAhead<T>(readings: AsyncIterable<Reading<T>>): AsyncGenerator<T> {
  const ahead: Promise<T>[] = [];
  for await (const { done } of readings) {
    // Its failure is seen when its turn comes, or never, where the run has failed.
    done.catch(() => undefined);
    ahead.push(done);
    const next = ahead.length > depth ? ahead.shift() : undefined;
    if (next !== undefined) yield await next;
  }
  for (const next of ahead) yield await next;
}
