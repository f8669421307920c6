import { sumLine } from '../../src/manifest/checksums.js';
import { ListedSums, scanSums, type SumsSource } from '../../src/manifest/listed-sums.js';

/** Gives a text each time, in chunks of a few bytes. */
export function sourceOf(text: string, chunkBytes = 100): SumsSource {
  const bytes = Buffer.from(text);
  return async function* () {
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      yield await Promise.resolve(bytes.subarray(at, at + chunkBytes));
    }
  };
}

/** SHA256SUMS with these lines, in this order. */
export async function listed(sums: Iterable<readonly [path: string, sha256: string]>): Promise<ListedSums> {
  const text = [...sums].map(([path, sha256]) => sumLine({ path, sha256 })).join('');
  return ListedSums.of(await scanSums(sourceOf(text)));
}
