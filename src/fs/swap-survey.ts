import { errorText, ioError } from '../base/errors.js';
import type { Journal } from './journal.js';
import type { Step } from './journal-format.js';
import { isThat, isUnchanged, type Identity } from './swap-identity.js';
import { systemSwapIo } from './swap-io.js';
import { listFound } from './swap-place.js';

/** What somebody else did between the journal and the end of the swap. Nothing of it is in a backup for certain. */
export type Unexpected =
  /** Was found at `live` and in the way, or written into there; it lies at `at` now. */
  | { readonly kind: 'moved'; readonly live: string; readonly at: string }
  /** Lies at `live` as others made or changed it: the swap had left something else there, or nothing. */
  | { readonly kind: 'altered'; readonly live: string }
  /** Others removed it, or what it lies in. */
  | { readonly kind: 'gone'; readonly live: string };

/** Looks at a decided swap (`committed` or `undone`); may be asked again after a kill. Throws `io-failed`. */
export function surveySwap(journal: Journal): readonly Unexpected[] {
  try {
    const places = [...new Set(journal.steps.map(({ place }) => place))];
    const found = places.flatMap((place) =>
      listFound(place).flatMap(({ step, path }): Unexpected[] => {
        const live = journal.steps[step]?.live;
        return live === undefined ? [] : [{ kind: 'moved', live, at: path }];
      }),
    );
    return [...found, ...journal.steps.flatMap((step) => unexpectedAt(step, journal.phase === 'committed'))];
  } catch (error) {
    throw ioError('looking at what was restored in', journal.folder, error);
  }
}

const look = (path: string): Identity | undefined => systemSwapIo.look(path);

function unexpectedAt(step: Step, committed: boolean): readonly Unexpected[] {
  const { live } = step;
  const found = look(live);
  if (step.kind === 'carry') return found === undefined ? [{ kind: 'gone', live }] : [];
  const seen = atLive(live, found, committed ? step.new?.identity : step.old);
  const aside = look(step.aside);
  const isStrange = aside !== undefined && !isUnchanged(aside, step.old);
  return isStrange ? [...seen, { kind: 'moved', live, at: step.aside }] : seen;
}

function atLive(live: string, found: Identity | undefined, wanted: Identity | undefined): readonly Unexpected[] {
  if (found === undefined) return wanted === undefined ? [] : [{ kind: 'gone', live }];
  return isUnchanged(found, wanted) ? [] : [{ kind: 'altered', live }];
}

/** Lines enough to act on, few enough to be read. */
const maxLines = 20;

/** For people, while a swap is neither done nor undone: what does not lie where it lay before. Never throws. */
export function displaced(journal: Journal): readonly string[] {
  const lines = journal.steps.flatMap((step) => {
    try {
      return displacedBy(step);
    } catch (error) {
      return [`${step.live} could not be looked at: ${errorText(error)}`];
    }
  });
  return lines.length <= maxLines ? lines : [...lines.slice(0, maxLines), `and ${lines.length - maxLines} more`];
}

function displacedBy(step: Step): readonly string[] {
  const { live, aside, old } = step;
  const found = look(live);
  if (found === undefined ? old === undefined : isThat(found, old)) return [];
  const fresh = step.kind === 'carry' ? undefined : step.new;
  const held = found === undefined ? 'nothing' : isThat(found, fresh?.identity) ? 'the restored one' : 'something else';
  const parts = [`${live} holds ${held}`];
  if (look(aside) !== undefined) parts.push(`what lay there is ${aside}`);
  if (fresh !== undefined && look(fresh.staged) !== undefined) parts.push(`the restored one is ${fresh.staged}`);
  return [parts.join('; ')];
}
