import { defaultLoaders } from 'cosmiconfig';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bkp, folder, jsonLines, lastLine, type Line } from '../commands/cli.js';
import { makeLayout, type LayoutFile } from '../helpers/layout.js';

interface RecipeFile extends LayoutFile {
  readonly kept: 'always' | 'with-config' | 'never';
}

interface Recipe {
  readonly application: string;
  readonly files: readonly RecipeFile[];
  readonly yaml: string;
}

const text = readFileSync(new URL('../../docs/recipes.md', import.meta.url), 'utf8');

const recipes: readonly Recipe[] = text
  .split(/^## /m)
  .slice(1)
  .map((section) => ({
    application: section.slice(0, section.indexOf('\n')),
    files: block(section, 'text').trimEnd().split('\n').map(recipeFile),
    yaml: block(section, 'yaml'),
  }));

function block(section: string, language: string): string {
  const found = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'm').exec(section)?.[1];
  if (found === undefined) throw new Error(`no block of ${language} in ${section.slice(0, 40)}`);
  return found;
}

function recipeFile(line: string): RecipeFile {
  const [path = '', ...words] = line.split(/\s+/);
  const remark = words.join(' ');
  const kept = remark.endsWith('left out') ? 'never' : remark === 'with --with-config' ? 'with-config' : 'always';
  expect(['', 'SQLite', 'SQLite left out', 'left out', 'with --with-config']).toContain(remark);
  return { path, sqlite: remark.startsWith('SQLite'), kept };
}

const parsed = (yaml: string): unknown => defaultLoaders.noExt('.backuprc', yaml) as unknown;

/** Files of the newest backup, by where they lay below the root. */
async function filesIn(root: string): Promise<readonly string[]> {
  const lines = jsonLines(await bkp(['show', 'latest', '--files', '--json'], { cwd: root }));
  const places = new Map(
    lines.filter(({ type }) => type === 'source').map(({ name, path }) => [String(name), String(path)]),
  );
  const isContent = ({ type, kind, path }: Line): boolean =>
    type === 'entry' && kind === 'file' && path !== 'SHA256SUMS' && path !== 'manifest.json';
  return lines.filter(isContent).map(({ path }) => {
    const [source = '', ...rest] = String(path).split('/');
    const place = places.get(source) ?? source;
    return [...(place === '.' ? [] : [place]), ...rest].join('/');
  });
}

it('are of six applications', () => {
  expect(recipes.map(({ application }) => application)).toEqual([
    ...['PocketBase', 'Vaultwarden', 'Ghost', 'Rails 8', 'Uptime Kuma', 'Gitea and Forgejo'],
  ]);
});

describe.each(recipes)('the recipe for $application', ({ application, files, yaml }) => {
  const pathsOf = (...kinds: readonly string[]): readonly string[] =>
    files.filter(({ kept }) => kinds.includes(kept)).map(({ path }) => path);

  it('is what init writes for its layout, and backs up all of it but what it says', async () => {
    const root = folder();
    makeLayout(root, files);
    const { text: written, applications } = lastLine(await bkp(['init', '--yes', '--json', '-C', root]));
    expect(application).toContain(String(applications));
    expect(readFileSync(join(root, '.backuprc'), 'utf8')).toBe(written);
    const { instance, ...recipe } = parsed(String(written)) as Record<string, unknown>;
    expect(root.endsWith(`/${String(instance)}`)).toBe(true);
    expect(recipe).toEqual(parsed(yaml));

    writeFileSync(join(root, '.backuprc'), yaml);
    const made = lastLine(await bkp(['create', '--with-config', '--json'], { cwd: root }));
    expect(made).toMatchObject({ exitCode: 0, complete: true });
    const verified = lastLine(await bkp(['verify', '--json'], { cwd: root }));
    expect(verified).toMatchObject({ exitCode: 0, complete: true, counts: { intact: 1 } });
    const wanted = [...pathsOf('always', 'with-config'), '.backuprc'];
    expect([...(await filesIn(root))].sort()).toEqual([...wanted].sort());
  });
});
