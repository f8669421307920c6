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

/** Path → SHA-256 (lower-case hexadecimal), in the file's order; or what is wrong, with its line. */
export type ParsedSums =
  | { readonly kind: 'sums'; readonly sums: ReadonlyMap<string, string> }
  | { readonly kind: 'invalid'; readonly message: string };

/** The mode character between sum and name is a space (text) or a star (binary). */
const line = /^(\\?)([0-9a-fA-F]{64}) [ *]([\s\S]+)$/;

export function parseSums(bytes: Buffer): ParsedSums {
  const sums = new Map<string, string>();
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  for (let at = 0, number = 1; at < bytes.length; number += 1) {
    const end = bytes.indexOf(0x0a, at);
    if (end === -1) return { kind: 'invalid', message: `line ${number} is cut short` };
    let parsed: { path: string; sha256: string } | undefined;
    try {
      parsed = parseLine(decoder.decode(bytes.subarray(at, end)));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    if (parsed === undefined) return { kind: 'invalid', message: `line ${number} is not a checksum and a name` };
    if (sums.has(parsed.path)) return { kind: 'invalid', message: `line ${number} names ${parsed.path} again` };
    sums.set(parsed.path, parsed.sha256);
    at = end + 1;
  }
  return { kind: 'sums', sums };
}

function parseLine(raw: string): { path: string; sha256: string } | undefined {
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
