import type { EntryHeader } from './archive.js';
import { limits } from '../base/limits.js';

/** Where a link points, for writing. Throws a `RangeError` on what no reader of ours would accept. */
export function recordableTarget(entry: EntryHeader): string {
  const target = entry.target ?? '';
  const bytes = Buffer.byteLength(target);
  if (bytes === 0 || bytes > limits.maxLinkBytes || target.includes('\0') || !target.isWellFormed()) {
    throw new RangeError(`the link ${JSON.stringify(entry.path)} has no target that can be recorded`);
  }
  return target;
}
