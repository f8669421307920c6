import type { ArchiveReader } from './archive.js';
import { looksLikeGzip } from './tar/gzip-magic.js';
import type { ByteSource } from '../base/byte-source.js';
import { ArchiveDamage } from '../base/damage.js';
import type { Compressor } from '../compress/compressor.js';

export interface OpenOptions {
  /** The container may have been remade by another tool: one leading `./` of a name is dropped. */
  readonly dropDotSlash?: boolean;
  /** Ends whatever the reader is reading: the search for what proves an archive can be a pass over all of it. */
  readonly signal?: AbortSignal;
  /** Bytes of content among which `readManifest` looks in an archive that does not tell where it lies. */
  readonly searchLimit?: number;
}

const magicBytes = 4;

/**
 * Opens an archive by its first bytes, whatever its name. The reader takes the source over and closes it; where this
 * rejects (with `ArchiveDamage`), the source is the caller's still.
 */
export async function openArchive(
  given: ByteSource,
  pool: Compressor,
  options: OpenOptions = {},
): Promise<ArchiveReader> {
  const { dropDotSlash = false, signal, searchLimit = Infinity } = options;
  const source = signal === undefined ? given : heeding(given, signal);
  const magic = await source.read(0, Math.min(magicBytes, source.size));
  // Most storages hold one of the two containers: the other's reader is not waited for.
  if (looksLikeGzip(magic)) {
    const { openTarReader } = await import('./tar/reader.js');
    return openTarReader(source, pool, { dropDotSlash, searchLimit });
  }
  // An empty zip begins with its end record (APPNOTE 4.3.16); one with a prefix is found out by its end.
  if (magic.length === magicBytes && magic[0] === 0x50 && magic[1] === 0x4b) {
    const { openZipReader } = await import('./zip/reader.js');
    return openZipReader(source, pool, { dropDotSlash });
  }
  const message = source.size === 0 ? 'the file is empty' : 'it begins like neither a zip nor a gzip file';
  throw new ArchiveDamage(source.size === 0 ? 'truncated' : 'structure-invalid', message);
}

/** No read begins after the signal. */
function heeding(source: ByteSource, signal: AbortSignal): ByteSource {
  const read = async (position: number, length: number, into?: Buffer): Promise<Buffer> => {
    signal.throwIfAborted();
    return source.read(position, length, into);
  };
  return { name: source.name, size: source.size, read, close: () => source.close() };
}
