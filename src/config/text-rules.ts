import { mustBe } from './fault.js';
import { controlCharacter } from './path-rules.js';

export const oneLine = 'a text of one line';
const longestLine = 200;

/** Why a text cannot be a name or a hint; undefined where it can. */
export function oneLineFault(raw: string): string | undefined {
  if (raw.trim() === '' || controlCharacter.test(raw)) return mustBe(oneLine, raw);
  return raw.length > longestLine ? `must be ${oneLine} of at most ${longestLine} characters` : undefined;
}
