import { createHash } from 'node:crypto';

/**
 * What crontab blocks and units of an instance are named by: readable, and of that instance alone, for the default name of two
 * installations (`current`, `app`) may well be the same. Letters, digits and `-`.
 */
export function instanceKey(instance: string, root: string): string {
  const readable = instance
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);
  const unique = createHash('sha256').update(`${instance}\0${root}`).digest('hex').slice(0, 8);
  return readable === '' ? unique : `${readable}-${unique}`;
}
