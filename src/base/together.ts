type Results<T extends readonly unknown[]> = { -readonly [K in keyof T]: Awaited<T[K]> };

/** Like `Promise.all`, but settles only when all have: what one of them uses is not closed while it still runs. */
export async function together<const T extends readonly unknown[]>(works: T): Promise<Results<T>> {
  await Promise.allSettled(works);
  return Promise.all(works);
}
