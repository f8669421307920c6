import { entryPathFault } from '../base/entry-path.js';
import { folded } from './found-data.js';

/** Names that no source can have, and beside them those that would be taken for default ones. */
const reserved = new Set(['sha256sums', 'manifest.json', '__proto__', 'constructor', 'prototype']);

/** Whether a text can be written as a path into a configuration. */
export function isWritable(path: string): boolean {
  return !/\p{Cc}/u.test(path) && path.isWellFormed() && path.length <= 4096 && path.trim() !== '';
}

/** Gives names that are unique, also where case is folded, and that every archive can hold. */
export class SourceNames {
  readonly #taken: Set<string>;

  constructor(taken: readonly string[] = []) {
    this.#taken = new Set([...taken, ...reserved].map(folded));
  }

  /** The name of a file or folder by its path below the root: its last segment, more of them where that is taken. */
  nameFor(path: string): string {
    const segments = path.split('/').filter((segment) => segment !== '.' && segment !== '..');
    const last = segments.at(-1) ?? 'data';
    const longer = segments.map((_, at) => segments.slice(-1 - at).join('-'));
    const short = isName(last) ? Array.from(last).slice(0, 50).join('') : 'data';
    const free = [...longer, short].find((name) => this.#isFree(name)) ?? this.#numbered(short);
    this.#taken.add(folded(free));
    return free;
  }

  #numbered(name: string): string {
    let number = 2;
    while (!this.#isFree(`${name}-${number}`)) number += 1;
    return `${name}-${number}`;
  }

  #isFree(name: string): boolean {
    return isName(name) && !this.#taken.has(folded(name));
  }
}

const isName = (name: string): boolean => isWritable(name) && entryPathFault(name) === undefined;
