import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { pages, root } from './pages.js';

/** Without blocks and spans of code: what looks like a link there is none. */
const prose = (text: string): string => text.replace(/^```[^]*?^```$/gm, '').replace(/`[^`\n]+`/g, '');

const linksOf = (text: string): readonly string[] =>
  [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');

/** As GitHub makes them of headings. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = readFileSync(page, 'utf8')
    .replace(/^```[^]*?^```$/gm, '')
    .matchAll(/^#{1,6} (.+)$/gm);
  const anchors = new Set<string>();
  for (const [, heading = ''] of headings) {
    const plain = heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '');
    const anchor = plain.replaceAll(' ', '-');
    let unique = anchor;
    for (let times = 1; anchors.has(unique); times++) unique = `${anchor}-${times}`;
    anchors.add(unique);
  }
  return anchors;
}

/** Why a link leads nowhere; undefined where it is good, or leaves the project. */
function faultOf(page: string, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined;
  const [path = '', anchor] = link.split('#', 2);
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(target)) return 'no such file';
  if (anchor !== undefined && !anchorsOf(target).has(anchor)) return 'no such heading';
  return undefined;
}

it.each(pages.map((page) => [relative(root, page), page]))('has only links that resolve in %s', (_, page) => {
  const faults = linksOf(readFileSync(page, 'utf8')).map((link) => [link, faultOf(page, link)] as const);
  expect(faults.filter(([, fault]) => fault !== undefined)).toEqual([]);
});

it('finds what leads nowhere', () => {
  const readme = join(root, 'README.md');
  expect(faultOf(readme, 'docs/none.md')).toBe('no such file');
  expect(faultOf(readme, 'docs/retention.md#none')).toBe('no such heading');
  expect(faultOf(readme, 'docs/json-output.md#summary-of-status')).toBeUndefined();
  expect(linksOf(readFileSync(readme, 'utf8'))).toContain('docs/administration.md');
});
