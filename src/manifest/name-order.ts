import { compareBytes } from '../base/entry-path.js';

/** As many names at the top are remembered. An archive has one for each of its sources. */
const maxTops = 10_000;

/**
 * Whether names come as an archive holds them: what belongs to one source together, in the order of the bytes of the paths,
 * a folder's with `/` behind it. Names in this order are told apart, and told from what lies below them, by looking at few
 * of them: nothing is held for each.
 */
export class NameOrder {
  readonly #tops = new Set<string>();
  #top = '';
  #last = '';
  /** What is no folder, and what later names begin with: each is the beginning of the next. */
  #beginnings: string[] = [];

  /**
   * Whether `path` is surely new, and neither below something that is no folder nor above something that was there before.
   * Once it is not, nothing is told of later ones.
   */
  follows(path: string, isFolder: boolean): boolean {
    const key = isFolder ? `${path}/` : path;
    if (!this.#isSameTop(path)) return this.#begin(path, key, isFolder);
    if (compareBytes(this.#last, key) >= 0) return false;
    let beginning = this.#beginnings.at(-1);
    while (beginning !== undefined && !path.startsWith(beginning)) {
      this.#beginnings.pop();
      beginning = this.#beginnings.at(-1);
    }
    // Of those before it, the next one is the proof that they go on otherwise.
    if (beginning !== undefined && key[beginning.length] === '/') return false;
    this.#last = key;
    if (!isFolder) this.#beginnings.push(path);
    return true;
  }

  #isSameTop(path: string): boolean {
    const { length } = this.#top;
    return length > 0 && path.startsWith(this.#top) && (path.length === length || path[length] === '/');
  }

  #begin(path: string, key: string, isFolder: boolean): boolean {
    const slash = path.indexOf('/');
    // A copy: a part of a text keeps all of it in memory, which may be many lines.
    this.#top = Buffer.from(slash === -1 ? path : path.slice(0, slash)).toString();
    if (this.#tops.has(this.#top) || this.#tops.size >= maxTops) return false;
    this.#tops.add(this.#top);
    this.#last = key;
    this.#beginnings = isFolder ? [] : [path];
    return true;
  }
}
