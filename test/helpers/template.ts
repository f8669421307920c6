import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';

/**
 * Makes `to` a copy of a folder that `fill` made before, once for all files of a run; gives what it said then. What starts
 * processes is done once so, and a test does what it likes with its copy: times, modes and links are the same, absolute
 * paths that lie in it are not its own.
 */
export async function copyTemplate<T>(name: string, to: string, fill: (folder: string) => Promise<T>): Promise<T> {
  const place = join(inject('templates'), createHash('sha256').update(name).digest('hex').slice(0, 16));
  if (!existsSync(place)) await makeTemplate(place, fill);
  execFileSync('cp', ['-a', join(place, 'content'), to]);
  return JSON.parse(readFileSync(join(place, 'made.json'), 'utf8')) as T;
}

async function makeTemplate(place: string, fill: (folder: string) => Promise<unknown>): Promise<void> {
  const aside = mkdtempSync(`${place}.`);
  const content = join(aside, 'content');
  mkdirSync(content);
  writeFileSync(join(aside, 'made.json'), JSON.stringify((await fill(content)) ?? null));
  try {
    renameSync(aside, place);
  } catch (error) {
    // Two files of tests began at once: the first one's will do.
    if (!existsSync(place)) throw error;
    rmSync(aside, { recursive: true });
  }
}
