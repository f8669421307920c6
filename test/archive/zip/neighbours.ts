import { blockSize } from '../../../src/base/limits.js';
import { buildZip, type RawEntry } from '../../helpers/zip-builder.js';

/** What a hostile entry is put between: what is wrong with one must not touch its neighbours. */
export const good: RawEntry = { name: 'uploads/good', content: 'good' };
export const last: RawEntry = { name: 'uploads/z', content: 'last' };
export const between = (entry: RawEntry): Buffer => buildZip([good, entry, last]);
export const zeros = Buffer.alloc(5 * blockSize);
