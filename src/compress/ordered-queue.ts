/**
 * Results of jobs that run side by side, consumed in the order they were pushed, with at most `maxInFlight` waiting:
 * bounded memory. After the first failure (of a job or of `consume`) every call rejects with it.
 */
export class OrderedQueue<T> {
  readonly #maxInFlight: number;
  readonly #consume: (result: T) => Promise<void>;
  #tail: Promise<void> = Promise.resolve();
  #inFlight = 0;
  #failed = false;
  #failure: unknown;
  #wake: (() => void) | undefined;

  constructor(maxInFlight: number, consume: (result: T) => Promise<void>) {
    this.#maxInFlight = maxInFlight;
    this.#consume = consume;
  }

  /** Takes the job in; resolves when there is room for another one. */
  async push(job: Promise<T>): Promise<void> {
    // Its failure is seen when its turn comes, or never, where the queue has failed: it must not count as unhandled.
    job.catch(() => undefined);
    this.#throwIfFailed();
    this.#inFlight += 1;
    this.#tail = this.#tail.then(() => this.#take(job));
    while (this.#inFlight >= this.#maxInFlight && !this.#failed) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    this.#throwIfFailed();
  }

  /** Resolves when all that was pushed is consumed. */
  async drain(): Promise<void> {
    await this.#tail;
    this.#throwIfFailed();
  }

  async #take(job: Promise<T>): Promise<void> {
    try {
      if (!this.#failed) await this.#consume(await job);
    } catch (error) {
      this.#failed = true;
      this.#failure = error;
    }
    this.#inFlight -= 1;
    this.#wake?.();
    this.#wake = undefined;
  }

  #throwIfFailed(): void {
    if (this.#failed) throw this.#failure;
  }
}
