import { realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { systemCode } from '../base/errors.js';
import type { Source } from '../operations/source.js';
import { type ConfigFault, keyPath } from './fault.js';

/**
 * What cannot be told from the texts alone, by real path: a file or folder that is two sources, a source that is the
 * storage or lies in it (the storage is never part of a backup, so such a source would be empty without a word), and a folder
 * for copies that is the storage, lies in it or in a source (each backup would hold all before it), or is given twice.
 */
export async function findConflicts(
  sources: readonly Source[],
  storage: string,
  copies: readonly string[],
): Promise<readonly ConfigFault[]> {
  const faults: ConfigFault[] = [];
  const seen = new Map<string, string>();
  const realStorage = await realPathOf(storage);
  faults.push(...(await copyFaults(copies, sources, { given: storage, real: realStorage })));
  for (const source of sources) {
    const real = await realPathOf(source.path);
    if (isInside(real, realStorage)) faults.push({ at: 'storage', says: storageSays(source, real, storage) });
    // Sources of single files all begin at the root.
    if (source.type === 'files') continue;
    const other = seen.get(real);
    if (other !== undefined)
      faults.push({
        at: keyPath(['sources', source.name]),
        says: `is the same as source "${other}": both are ${real}`,
      });
    else seen.set(real, source.name);
  }
  return faults;
}

async function copyFaults(
  copies: readonly string[],
  sources: readonly Source[],
  storage: { readonly given: string; readonly real: string },
): Promise<readonly ConfigFault[]> {
  const faults: ConfigFault[] = [];
  const seen = new Set<string>();
  for (const [index, copy] of copies.entries()) {
    const at = keyPath(['copies', index]);
    const real = await realPathOf(copy);
    if (seen.has(real)) faults.push({ at, says: `is there twice: ${copy}` });
    seen.add(real);
    if (isInside(real, storage.real)) faults.push({ at, says: `must lie elsewhere than the storage ${storage.given}` });
    for (const source of sources) {
      if (source.type !== 'directory' || !isInside(real, await realPathOf(source.path))) continue;
      faults.push({ at, says: `must not lie in what is backed up, but ${copy} lies in source "${source.name}"` });
    }
  }
  return faults;
}

function storageSays(source: Source, real: string, storage: string): string {
  const same = `must not hold what is backed up, but ${storage} is or holds source "${source.name}" (${real})`;
  return `${same}: archives need a folder of their own`;
}

function isInside(path: string, folder: string): boolean {
  const between = relative(folder, path);
  return between === '' || (between !== '..' && !between.startsWith(`..${sep}`));
}

const missing = new Set(['ENOENT', 'ENOTDIR']);

/** A path with the links in it followed as far as it exists; what is not there yet is added as it is. */
export async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const parent = dirname(path);
    // Where links cannot be followed for another reason (no permission, a loop), the text is all there is to compare.
    if (!missing.has(systemCode(error) ?? '') || parent === path) return path;
    return join(await realPathOf(parent), basename(path));
  }
}
