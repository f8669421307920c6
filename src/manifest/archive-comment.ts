import type { Manifest } from './manifest.js';

/** A zip's comment has at most 65,535 bytes (APPNOTE 4.4.12). */
const maxBytes = 65_535;

type Commented = Pick<
  Manifest,
  'id' | 'instance' | 'generatedAt' | 'schedule' | 'includes' | 'complete' | 'encryption'
>;

/** One JSON line in clear for whoever opens the zip: for display only, nothing in it is trusted by `bkp`. */
export function archiveComment(manifest: Commented): string {
  const { id, instance, generatedAt, schedule, includes, complete, encryption } = manifest;
  const open = 'unzip, then: sha256sum -c SHA256SUMS';
  const line = JSON.stringify({
    id,
    instance,
    generatedAt,
    schedule,
    includes,
    complete,
    encrypted: encryption.enabled,
    open,
  });
  return Buffer.byteLength(line) <= maxBytes ? line : JSON.stringify({ id, generatedAt, complete, open });
}
