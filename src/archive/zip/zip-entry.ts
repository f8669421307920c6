import type { EntryHeader } from '../archive.js';
import type { Extras } from './extra-fields.js';
import { flagDescriptor, flagEncrypted } from './records.js';

/** One entry as its central record tells of it; the local record must agree. */
export interface ZipEntry {
  readonly header: EntryHeader;
  readonly rawName: Buffer;
  readonly flags: number;
  readonly method: number;
  readonly time: number;
  readonly date: number;
  readonly crc: number;
  readonly size: number;
  readonly packedSize: number;
  readonly offset: number;
  readonly extras: Extras;
  /** Where its central record lies. */
  readonly central: { readonly at: number; readonly bytes: number };
}

export const isEncrypted = (entry: Pick<ZipEntry, 'flags'>): boolean => (entry.flags & flagEncrypted) !== 0;
export const hasDescriptor = (entry: Pick<ZipEntry, 'flags'>): boolean => (entry.flags & flagDescriptor) !== 0;
