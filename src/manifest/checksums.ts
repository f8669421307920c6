import { isUtf8 } from 'node:buffer';

/**
 * SHA256SUMS: lines as GNU coreutils' `sha256sum` writes and checks them. A name with a backslash, newline or carriage
 * return is escaped and its line begins with a backslash (coreutils manual, "md5sum invocation").
 */
const needsEscape = /[\\\n\r]/;
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r' };

export function sumLine({ path, sha256 }: { readonly path: string; readonly sha256: string }): string {
  if (!needsEscape.test(path)) return `${sha256}  ${path}\n`;
  return `\\${sha256}  ${path.replace(/[\\\n\r]/g, (character) => escapes[character] ?? character)}\n`;
}

export interface SumLine {
  readonly path: string;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** Thrown where SHA256SUMS cannot be read; the message names the line. */
export class SumsFault extends Error {}

/** The mode character between sum and name is a space (text) or a star (binary). */
const line = /^(\\?)([0-9a-fA-F]{64}) [ *]([\s\S]+)$/;
const plainSum = /^[0-9a-f]{64}$/;
const sumChars = 64;
const nameAt = sumChars + 2;
const newline = 0x0a;

/** Text is decoded in pieces of this size, so that as many lines are there at once as fit into it. */
const pieceBytes = 256 * 1024;

/** The lines of SHA256SUMS, in lists, in bounded memory. Throws `SumsFault`, and what `chunks` throws. */
export async function* sumLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly SumLine[]> {
  let rest: Buffer[] = [];
  let number = 1;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      const piece = chunk.subarray(at, at + pieceBytes);
      const end = piece.lastIndexOf(newline) + 1;
      // A copy: the chunk is good only until the next one.
      if (end < piece.length && end === 0) rest.push(Buffer.from(piece));
      if (end === 0) continue;
      const lines = linesOf(Buffer.concat([...rest, piece.subarray(0, end)]), number);
      rest = end < piece.length ? [Buffer.from(piece.subarray(end))] : [];
      number += lines.length;
      yield lines;
    }
  }
  if (rest.length > 0) throw new SumsFault(`line ${number} is cut short`);
}

/** All of `bytes`, which end with a line's end; the first one is line `number`. */
function linesOf(bytes: Buffer, number: number): readonly SumLine[] {
  if (!isUtf8(bytes)) throw noLine(number + linesBeforeBadText(bytes));
  const text = bytes.toString();
  const lines: SumLine[] = [];
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n', at);
    const parsed = plainLine(text, at, end) ?? parseLine(text.slice(at, end));
    if (parsed === undefined) throw noLine(number + lines.length);
    lines.push(parsed);
    at = end + 1;
  }
  return lines;
}

const noLine = (number: number): SumsFault => new SumsFault(`line ${number} is not a checksum and a name`);

/** Of the lines before the first one that is not UTF-8, none may be invalid otherwise: that one would come first. */
function linesBeforeBadText(bytes: Buffer): number {
  let before = 0;
  for (let at = 0; ; before += 1) {
    const end = bytes.indexOf(newline, at);
    const one = bytes.subarray(at, end);
    if (!isUtf8(one) || parseLine(one.toString()) === undefined) return before;
    at = end + 1;
  }
}

/** As `sha256sum` writes nearly all of them: in small letters, and without an escape. */
function plainLine(text: string, at: number, end: number): SumLine | undefined {
  if (end - at <= nameAt || text[at + sumChars] !== ' ' || text[at + sumChars + 1] !== ' ') return undefined;
  const sha256 = text.slice(at, at + sumChars);
  return plainSum.test(sha256) ? { sha256, path: text.slice(at + nameAt, end) } : undefined;
}

function parseLine(raw: string): SumLine | undefined {
  const [, escaped, sha256, name] = line.exec(raw) ?? [];
  if (sha256 === undefined || name === undefined) return undefined;
  const path = escaped === '' ? name : unescape(name);
  return path === undefined ? undefined : { path, sha256: sha256.toLowerCase() };
}

function unescape(name: string): string | undefined {
  if (/\\(?![\\nr])/.test(name.replaceAll('\\\\', ''))) return undefined;
  return name.replace(/\\([\\nr])/g, (_, character: string) =>
    character === 'n' ? '\n' : character === 'r' ? '\r' : '\\',
  );
}
