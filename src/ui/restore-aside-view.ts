import type { InPlaceResult } from '../operations/restore-in-place.js';
import { shownName } from './display.js';
import { counted } from './format.js';
import type { RestoreSummary, RestoreSurprise } from './json-lines/restore.js';
import type { Look } from './look.js';
import { proseLines } from './prose.js';

/** What a swap left beside its result. */
export type Aside = Pick<InPlaceResult, 'kept' | 'unexpected'>;

/** More than these would bury the result. */
const mostShown = 20;

/** What was kept aside, and what others did meanwhile: nothing of it is removed, all of it is for a person to look at. */
export function* asideText({ kept, unexpected }: Aside, look: Look): Iterable<string> {
  const title = (text: string): readonly string[] => proseLines(look.chalk.yellow.bold(text), look);
  if (kept.length > 0) {
    yield* title(`${counted(kept.length, 'thing')} of before kept aside; remove what you do not need:`);
    yield* some(
      kept.map(({ path, reason }) => `${shownName(path)} (${reason})`),
      look,
    );
  }
  if (unexpected.length === 0) return;
  yield* title('Somebody else was at work there meanwhile:');
  yield* some(unexpected.map(surpriseText), look);
}

function* some(lines: readonly string[], look: Look): Iterable<string> {
  for (const line of lines.slice(0, mostShown)) yield* proseLines(`  ${line}`, look, { hang: 4 });
  if (lines.length > mostShown) yield `  and ${counted(lines.length - mostShown, 'more', 'more')} (--json lists all)`;
}

type Unexpected = Aside['unexpected'][number];

function surpriseText(one: Unexpected): string {
  const live = shownName(one.live);
  switch (one.kind) {
    case 'moved':
      return `what was found at ${live} lies at ${shownName(one.at)} now`;
    case 'altered':
      return `${live} is not what was put there`;
    case 'gone':
      return `${live} is gone`;
  }
}

/** For the summary. */
export const asideFields = ({ kept, unexpected }: Aside): Pick<RestoreSummary, 'kept' | 'unexpected'> => ({
  kept: kept.map(({ path, reason }) => ({ path, reason })),
  unexpected: unexpected.map((one): RestoreSurprise => {
    return { kind: one.kind, path: one.live, at: one.kind === 'moved' ? one.at : null };
  }),
});
