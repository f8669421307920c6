import { systemClock, type Clock } from '../base/clock.js';

/** Milliseconds: so much is spent before an opinion is formed. */
const trial = 50;
/** Milliseconds a call, on average: more, and whoever waits waits for a disk or a network. */
const prompt = 0.25;

/**
 * Asks a disk on this thread. Where it answers from memory, as it mostly does, that takes a tenth of what handing the question
 * to another thread takes; where it does not, nothing else is done meanwhile, no signal heard, and no second question put.
 * So it is watched: as soon as it turns out to be slow, it is not to be asked this way any more.
 */
export class PromptDisk {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #asked = 0;
  #spent = 0;

  constructor(clock: Pick<Clock, 'monotonic'> = systemClock) {
    this.#clock = clock;
  }

  get isPrompt(): boolean {
    return this.#spent < trial || this.#spent < prompt * this.#asked;
  }

  ask<T>(question: () => T): T {
    const before = this.#clock.monotonic();
    try {
      return question();
    } finally {
      this.#asked += 1;
      this.#spent += this.#clock.monotonic() - before;
    }
  }
}
