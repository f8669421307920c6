import { shownName } from '../ui/display.js';
import { askLine } from '../ui/prompts.js';

/** How often somebody may mistype it. */
const attempts = 3;

/**
 * Asks for a word to be typed, and again where another one is. Gives what was typed last: the word, another one, '', or
 * undefined where the input ended. Rejects as `askLine` does.
 */
export async function askWord(word: string, what: string, signal: AbortSignal): Promise<string | undefined> {
  let told = '';
  for (let attempt = 1; ; attempt += 1) {
    const typed = await askLine(`${told}Type ${shownName(word)} to ${what}: `, signal);
    if (typed === word || typed === undefined || typed === '' || attempt === attempts) return typed;
    told = `${shownName(typed)} is not ${shownName(word)}.\n`;
  }
}
