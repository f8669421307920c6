import { oneScreen, typedOne, type OneOfMany } from './choose-one.js';
import { chosenText, nothingChosen, rowsOf, someScreen, someTable, startingWith, toggled } from './choose-some.js';
import type { SomeOfMany } from './choose-some.js';
import { interrupted } from './keyboard.js';
import { askOnScreen } from './key-screen.js';
import { isDumb, widthOf } from './look.js';
import { askLine } from './prompts.js';

interface Asking {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** Asks a person for one of them: its place in the list. Rejects with `interrupted` on Ctrl-C, Ctrl-D and Esc. */
export function chooseOne(wanted: OneOfMany, { env, signal }: Asking): Promise<number> {
  return drawsText(env) ? oneByLines(wanted, signal) : askOnScreen(oneScreen(wanted), signal);
}

/** The same for at least one source: their names, in the order of the question. */
export async function chooseSome(wanted: SomeOfMany, { env, signal }: Asking): Promise<readonly string[]> {
  const on = drawsText(env) ? await someByLines(wanted, signal) : await askOnScreen(someScreen(wanted), signal);
  return wanted.sources.filter((_, at) => on.has(at)).map(({ name }) => name);
}

/** Nothing is known of how to move the cursor there: lines are asked for. */
const drawsText = (env: Asking['env']): boolean => (env['TERM'] ?? '') === '' || isDumb(process.stderr, env);

const write = (lines: readonly string[]): void => void process.stderr.write(`${lines.join('\n')}\n`);

async function oneByLines(wanted: OneOfMany, signal: AbortSignal): Promise<number> {
  const { question, names, called, table, more, start } = wanted;
  const lines = table(widthOf(process.stderr)).flatMap((line, row) => {
    const beside = row === 0 ? '' : (more?.(row - 1) ?? '');
    return beside === '' ? [line] : [line, `  ${beside}`];
  });
  write([question, ...lines]);
  for (;;) {
    const typed = await answer(`A number or the beginning of ${called} [${start + 1}]: `, signal);
    const at = typed === '' ? start : typedOne(typed, names);
    if (at !== undefined) return at;
    write([`${typed}: there is none that begins so.`]);
  }
}

async function someByLines({ question, sources }: SomeOfMany, signal: AbortSignal): Promise<ReadonlySet<number>> {
  const rows = rowsOf(sources);
  let on = startingWith(sources);
  for (;;) {
    write([question, ...someTable(sources, on, widthOf(process.stderr)), chosenText(sources, on)]);
    const typed = await answer('Numbers to turn on or off, Enter to go on: ', signal);
    if (typed === '' && on.size > 0) return on;
    if (typed === '') write([nothingChosen]);
    const numbers = typed.split(/[ ,]+/).filter((word) => word !== '');
    const unknown = numbers.filter((word) => rows[Number(word) - 1] === undefined);
    if (unknown.length > 0) write([`${unknown.join(', ')}: there is no such number.`]);
    else for (const word of numbers) on = toggled(on, rows[Number(word) - 1]?.members ?? []);
  }
}

async function answer(question: string, signal: AbortSignal): Promise<string> {
  const typed = await askLine(question, signal);
  if (typed === undefined) throw interrupted('end of input');
  return typed;
}
