import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const page = readFileSync(new URL('../../docs/retention.md', import.meta.url), 'utf8');
const golden = new URL('./golden/', import.meta.url);

/** `<!-- golden: name -->`, and the block after it. */
const blocks = [...page.matchAll(/<!-- golden: ([\w-]+) -->\n\n```text\n([^]*?)```\n/g)].map(([, name, text]) => ({
  name: name!,
  text: text!,
}));

it('shows in every table what really comes out', () => {
  expect(blocks.length).toBeGreaterThanOrEqual(8);
  expect(blocks).toHaveLength(page.match(/^```text$/gm)!.length);
  for (const { name, text } of blocks) {
    expect(readdirSync(golden)).toContain(`${name}.txt`);
    // Whole lines, in one piece; a part of a file may be shown.
    const whole = `\n${readFileSync(new URL(`${name}.txt`, golden), 'utf8')}`;
    expect(text.split('\n').length).toBeGreaterThan(5);
    expect(whole).toContain(`\n${text}`);
  }
});
