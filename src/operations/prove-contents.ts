import { hashed } from '../base/hashed.js';
import { createHash } from 'node:crypto';
import type { ArchiveReader, DecodeOptions, Decoded, DecodedEntry, EntryHeader } from '../archive/archive.js';
import { ArchiveDamage, type Damage } from '../base/damage.js';
import { never } from '../base/errors.js';
import { finding, type Finding } from '../manifest/findings.js';
import { isProof, Ledger, type Claims } from '../manifest/ledger.js';

/** What is done with an archive's entries on the way, beside proving them. */
export interface Visitor {
  /** Whether a file's content goes to `file`. */
  wants(header: EntryHeader): boolean;
  /** A wanted file's content, to be read to its end; it is proven only when this has returned and nothing was found. */
  file(header: EntryHeader, content: AsyncIterable<Buffer>): Promise<void>;
  /** A folder or link that the archive may hold. */
  other(header: EntryHeader): Promise<void>;
}

/** Looks at everything and keeps nothing. */
export const onlyProving: Visitor = {
  wants: () => false,
  file: () => Promise.resolve(),
  other: () => Promise.resolve(),
};

export interface ProofOptions {
  readonly signal: AbortSignal;
  readonly visitor?: Visitor;
  /** Names, types and structure alone. */
  readonly withoutContent?: boolean;
  /** Asked once for each file, in archive order: its content was proven before, and its bytes are proven in another way. */
  readonly proven?: () => boolean;
  /** Where some of these lie. */
  readonly passBy?: DecodeOptions['passBy'];
  /** Told each file's bytes and path. */
  readonly advance?: (bytes: number, path: string) => void;
  /** Ends at the first damage: nothing more is to be written of a bad archive. */
  readonly stopAtDamage?: boolean;
}

export interface ContentProof {
  /** Empty: every entry is there, none too many, each what it was. */
  readonly findings: readonly Finding[];
  readonly files: number;
  readonly bytes: number;
}

export const damageFinding = ({ id, message, path }: Damage): Finding =>
  finding(id, message, path === undefined ? {} : { source: path.split('/', 1)[0] ?? path, path });

/** A finding as one line of text. */
export const plainFinding = ({ id, path, message }: Finding): string =>
  `${path === undefined ? '' : `${path}: `}${message} (${id})`;

/** One pass over all entries of an archive, each held against its claims. Structural damage ends it with one finding. */
export async function proveContents(
  reader: ArchiveReader,
  claims: Claims,
  options: ProofOptions,
): Promise<ContentProof> {
  const ledger = new Ledger(claims, () => reader.names());
  const findings: Finding[] = [];
  const visitor = options.visitor ?? onlyProving;
  const want = (header: EntryHeader): 'content' | 'sum' | 'nothing' => {
    if (visitor.wants(header)) return 'content';
    return options.withoutContent === true || options.proven?.() === true ? 'nothing' : 'sum';
  };
  const room = roomFor(claims);
  const hasEnd = await untilDamage(findings, async () => {
    const { signal, passBy } = options;
    for await (const entry of reader.decode({ want, passBy, signal })) {
      options.signal.throwIfAborted();
      await ledger.prepare(entry.header);
      const fault = await prove(entry, ledger, visitor, room);
      if (fault === undefined && options.proven !== undefined) countUnseen(entry, ledger);
      if (fault !== undefined) findings.push(fault);
      if (fault !== undefined && options.stopAtDamage === true) break;
      options.advance?.(entry.header.size, entry.header.path);
    }
  });
  findings.push(...reader.oddities.filter(({ id }) => !isTolerated(id, claims)).map(damageFinding));
  // After a structural end every entry behind it would be "missing": one finding says it all.
  if (hasEnd && !(findings.length > 0 && options.stopAtDamage === true)) {
    await untilDamage(findings, async () => {
      for (const missing of await ledger.missing()) findings.push(missing);
    });
  }
  await ledger.close();
  return { findings, files: ledger.files, bytes: ledger.bytes };
}

/** Files that were proven before count like those that are proven now. */
function countUnseen(entry: DecodedEntry, ledger: Ledger): void {
  if (entry.header.kind === 'file' && entry.content.kind === 'none' && !isProof(entry)) ledger.count(entry.header);
}

/** False where structural damage ended it, which is a finding then. */
async function untilDamage(findings: Finding[], work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof ArchiveDamage)) throw error;
    findings.push(damageFinding(error));
    return false;
  }
}

/** Says where an archive holds more bytes than its manifest counts: before they are written anywhere. */
function roomFor({ manifest: { totals } }: Claims): (entry: DecodedEntry) => Finding | undefined {
  let left = totals?.bytes ?? Infinity;
  return (entry) => {
    if (entry.header.kind !== 'file' || isProof(entry)) return undefined;
    left -= entry.header.size;
    if (left >= 0) return undefined;
    return damageFinding({
      id: 'size-mismatch',
      message: `with it, the archive holds more than the ${totals?.bytes ?? 0} bytes of its manifest`,
      path: entry.header.path,
    });
  };
}

/** Other tools leave gaps; where the body is proven as bytes, none can be there. */
const isTolerated = (id: Damage['id'], { repacked, manifest }: Claims): boolean =>
  id === 'data-between-entries' && (repacked || manifest.bodyHash === undefined);

async function prove(
  entry: DecodedEntry,
  ledger: Ledger,
  visitor: Visitor,
  room: (entry: DecodedEntry) => Finding | undefined,
): Promise<Finding | undefined> {
  const { header, content } = entry;
  const fault = ledger.admit(header) ?? room(entry);
  if (content.kind === 'damaged') return damageFinding(content.damage);
  if (fault !== undefined || isProof(entry)) return fault;
  if (header.kind !== 'file') {
    await visitor.other(header);
    return undefined;
  }
  try {
    const sha256 = await digest(header, content, visitor);
    return sha256 === undefined ? undefined : ledger.content(header, sha256);
  } catch (error) {
    // Where only this entry is damaged the reader goes on behind it; where the container is, it says so itself.
    if (error instanceof ArchiveDamage) return damageFinding(error);
    throw error;
  }
}

/** The content's sum, after the visitor had it where it wants it; undefined where content is not looked at. */
async function digest(header: EntryHeader, content: Decoded, visitor: Visitor): Promise<string | undefined> {
  switch (content.kind) {
    case 'none':
      return undefined;
    case 'sum':
      return content.sha256;
    case 'bytes':
      if (visitor.wants(header)) await visitor.file(header, single(content.bytes));
      return content.sha256;
    case 'chunks': {
      const hash = createHash('sha256');
      await visitor.file(header, hashed(content.chunks, hash));
      return hash.digest('hex');
    }
    case 'damaged':
      throw new ArchiveDamage(content.damage.id, content.damage.message, header.path);
    default:
      return never(content);
  }
}

async function* single(bytes: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(bytes);
}
