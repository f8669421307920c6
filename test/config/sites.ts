import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { BkpError } from '../../src/base/errors.js';
import type { Config } from '../../src/config/config.js';
import { loadConfig, type LoadRequest } from '../../src/config/load.js';
import type { Source } from '../../src/operations/source.js';

/** A new folder (its real path) for the length of a test with these files, each written by its owner alone; a name ending in `/` is a folder. */
export async function writeSite(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'bkp-config-')));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, name);
    await mkdir(name.endsWith('/') ? path : dirname(path), { recursive: true });
    if (!name.endsWith('/')) await writeFile(path, text, { mode: 0o600 });
  }
  return root;
}

/** `loadConfig` with nothing in the environment and no flags but these. */
export function load(cwd: string, flags: LoadRequest['flags'] = {}, env: LoadRequest['env'] = {}): Promise<Config> {
  return loadConfig({ cwd, env, flags });
}

/** The expected failure a promise ends with. */
export async function failureOf(promise: Promise<unknown>): Promise<BkpError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof BkpError) return error;
    throw error;
  }
  throw new Error('did not fail');
}

export function sourceNamed(config: Config, name: string): Source {
  const source = config.sources.find((each) => each.name === name);
  if (source === undefined) throw new Error(`no source ${name}`);
  return source;
}
