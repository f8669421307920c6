import { hostname } from 'node:os';

/** What is to stand in the place of what differs from run to run. */
export interface Places {
  /** The folder above the site. */
  readonly folder: string;
  /** Of the program. */
  readonly binary: string;
}

/**
 * Takes out of the output of a scene what another run or machine would show differently: places, times, ids, sizes.
 * Columns are as wide as their cells, so that they end up one gap apart.
 */
export function normaliser({ folder, binary }: Places): (text: string) => string {
  const instants: string[] = [];
  /** The first instant is told as the first second of a year, and so on: those that are the same stay so. */
  const instantOf = (stamp: string): string => {
    if (!instants.includes(stamp)) instants.push(stamp);
    return `20260101T0000${String(instants.indexOf(stamp)).padStart(2, '0')}Z`;
  };
  return (text) =>
    text
      .replaceAll(process.execPath, '/usr/bin/node')
      .replaceAll(binary, '/usr/lib/bkp/bin/bkp.js')
      .replaceAll(folder, '/srv')
      .replaceAll(hostname(), 'host')
      .replace(/\b20(?!200101T000000Z)\d{6}T\d{6}Z/g, instantOf)
      .replace(/\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '2026-01-01T00:00:00Z')
      // A schedule's own time of day stays.
      .replace(
        /\b20\d\d-\d\d-\d\d (\d\d:\d\d) UTC/g,
        (_, time: string) => `2026-01-01 ${time === '03:30' ? time : '00:00'} UTC`,
      )
      .replace(/^\d\d:\d\d:\d\d(?= )/gm, '00:00:00')
      // Of several backups in one second the later ones are named by the next.
      .replace(/\b\d+ minutes? ago\b|\bin a moment\b/g, 'just now')
      .replace(/\bin \d+ (?:minute|hour|day)s?\b/g, 'in 1 hour')
      .replace(/\b\d+ years? ago\b/g, '6 years ago')
      .replace(/\b\d[\d.,]* (?:B|[KMGT]iB)(?=\W|$)/g, '1 KiB')
      .replace(/\b\d+\.\d s\b|\b\d+ ms\b/g, '0.1 s')
      // Told of steps that take their time.
      .replace(/ \(0\.1 s\)$/gm, '')
      .replace(/\b(Node\.js|SQLite) \d+\.\d+\.\d+/g, '$1 1.2.3')
      .replace(/\b[0-9a-f]{64}\b/g, '0'.repeat(64))
      .replace(/\b(cms|app)-[0-9a-f]{8}\b/g, '$1-00000000')
      .replace(/"(bytes|durationMs|freeBytes|contentBytes|done|total|lastGoodAge)":\d+/g, '"$1":1')
      .replace(/(\S) {2,}(?=\S)/g, '$1  ')
      .replace(/ +$/gm, '');
}
