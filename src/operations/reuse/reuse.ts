import type { Container, EarlierBlocks, EntryHeader, EntrySum, PackedMember } from '../../archive/archive.js';
import type { Cleanup } from '../../base/cleanup.js';
import type { Passphrase } from '../../base/passphrase.js';
import { errorText } from '../../base/errors.js';
import { KnownEntries, NewKnownEntries, type KnownEntriesKey } from '../../archive/known/known-entries-file.js';
import type { KnownEntry } from '../../archive/known/known-entry.js';
import type { KnownMember } from '../../archive/known/known-member.js';
import { entryOf } from '../../archive/known/known-record.js';
import type { CompressPool } from '../../compress/pool.js';
import type { FileStat } from '../../fs/file-stat.js';
import type { Walked } from '../../fs/walk.js';
import { finding, type Finding } from '../../manifest/findings.js';
import { isSettled } from '../../policy/unchanged.js';
import { withoutEnding } from '../../policy/backup-name.js';
import type { OpenDestination } from '../backup-destination.js';
import type { CreateRequest } from '../create-request.js';
import type { Deps } from '../deps.js';
import type { Source } from '../source.js';
import { ArchivedFiles, type ProvenBefore } from './archived-files.js';
import { noBlocks } from './database-blocks.js';
import { EarlierArchive } from './earlier-archive.js';
import { KnownCursor } from './known-cursor.js';
import { Seals } from './seals.js';
import { withEarlier, type EarlierSource, type Passed } from './unchanged-files.js';
import { withEarlierMembers, type PassedMember } from './unchanged-members.js';

/** What a backup takes over from the one before, and leaves for the one after it. */
export interface ReuseRequest {
  readonly request: CreateRequest;
  readonly target: OpenDestination;
  readonly pool: CompressPool;
  /** When the backup began: milliseconds since 1970. */
  readonly begun: number;
}

/** Undefined where nothing is taken over: only archives in a storage of this machine do that. */
export async function openReuse(wanted: ReuseRequest, deps: Deps, cleanup: Cleanup): Promise<Reuse | undefined> {
  const { request, target, pool, begun } = wanted;
  const { destination, encryption, level, full } = request;
  if (destination.kind !== 'storage') return undefined;
  const { folder } = destination.storage;
  if (folder === undefined) return undefined;
  const seals = new Seals(encryption?.passphrase);
  cleanup.defer(() => seals.forget());
  const earlier = new EarlierArchives(destination.storage, pool, cleanup);
  const sources = new Map<string, EarlierSource>();
  const entries = new Map<string, NewKnownEntries>();
  for (const source of request.sources) {
    const key = keyOf(source, request);
    const known = full ? undefined : await KnownEntries.open(folder, key, (salt) => seals.forEarlier(salt));
    if (known !== undefined) {
      cleanup.defer(() => known.close());
      const archive = known.of.level === level ? await earlier.open(known.of.archive) : undefined;
      if (archive !== undefined) sources.set(source.name, { archive, cursor: new KnownCursor(known.pieces()) });
    }
    const made = await newEntries(() => seals.forNew(), { folder, key, archive: target.name, level }, deps);
    if (made === undefined) continue;
    cleanup.defer(() => made.discard());
    entries.set(source.name, made);
  }
  const { passphrase } = encryption ?? {};
  const { container } = destination;
  return new Reuse({ begun, sources, entries, earlier, passphrase, container, willDecode: !request.quickCheck });
}

function keyOf(source: Source, { instance, destination, encryption }: CreateRequest): KnownEntriesKey {
  // A backup of a part of a source is no predecessor of one of the whole.
  const part = source.type === 'directory' ? source.only : undefined;
  const name = part === undefined ? source.name : `${source.name}/${part}`;
  return { instance, source: name, container: destination.container, isEncrypted: encryption !== undefined };
}

async function newEntries(
  seal: Seals['forNew'],
  at: { readonly folder: string; readonly key: KnownEntriesKey; readonly archive: string; readonly level: number },
  deps: Deps,
): Promise<NewKnownEntries | undefined> {
  const { folder, key, archive, level } = at;
  try {
    return await NewKnownEntries.create(folder, key, { archive, level }, await seal());
  } catch (error) {
    tellNotKept(key.source, error, deps);
    return undefined;
  }
}

function tellNotKept(source: string, error: unknown, deps: Deps): void {
  deps.step('entries-not-kept', `the next backup will read ${source} in full: ${errorText(error)}`);
}

/** Archives of the storage that things are taken over from, each opened once. */
class EarlierArchives {
  readonly #storage: Extract<CreateRequest['destination'], { kind: 'storage' }>['storage'];
  readonly #pool: CompressPool;
  readonly #cleanup: Cleanup;
  readonly #opened = new Map<string, Promise<EarlierArchive | undefined>>();
  readonly #damaged = new Set<string>();

  constructor(
    storage: Extract<CreateRequest['destination'], { kind: 'storage' }>['storage'],
    pool: CompressPool,
    cleanup: Cleanup,
  ) {
    this.#storage = storage;
    this.#pool = pool;
    this.#cleanup = cleanup;
  }

  get findings(): readonly Finding[] {
    return [...this.#damaged].map((name) =>
      finding(
        'earlier-backup-damaged',
        `${name} does not hold any longer what was written: what was to be taken over from it was read anew; \`bkp verify ${withoutEnding(name)}\` tells more`,
      ),
    );
  }

  /** Undefined where it is not there any longer. */
  open(name: string): Promise<EarlierArchive | undefined> {
    const opened = this.#opened.get(name) ?? this.#open(name);
    this.#opened.set(name, opened);
    return opened;
  }

  async #open(name: string): Promise<EarlierArchive | undefined> {
    try {
      const source = await this.#storage.open(name);
      const archive = new EarlierArchive(source, this.#pool, () => this.#damaged.add(name));
      this.#cleanup.defer(() => archive.close());
      return archive;
    } catch {
      return undefined;
    }
  }
}

interface Reusing {
  readonly begun: number;
  readonly sources: ReadonlyMap<string, EarlierSource>;
  readonly entries: ReadonlyMap<string, NewKnownEntries>;
  readonly earlier: EarlierArchives;
  /** Of this archive, and of those before it. */
  readonly passphrase: Passphrase | undefined;
  readonly container: Container;
  readonly willDecode: boolean;
}

export class Reuse {
  readonly #reusing: Reusing;
  readonly #files: ArchivedFiles;

  constructor(reusing: Reusing) {
    this.#reusing = reusing;
    this.#files = new ArchivedFiles(reusing.entries, reusing.container, reusing.willDecode);
  }

  get taken(): ArchivedFiles['taken'] {
    return this.#files.taken;
  }

  get findings(): readonly Finding[] {
    return this.#reusing.earlier.findings;
  }

  /** Passes a source's walk on, with what the earlier archive has of it. */
  async *pass(source: string, walk: Iterable<Walked>): AsyncGenerator<readonly (Passed | PassedMember)[]> {
    const { sources, container } = this.#reusing;
    const earlier = sources.get(source);
    if (earlier === undefined) for (const walked of walk) yield [{ walked }];
    else yield* container === 'tar.gz' ? withEarlierMembers(walk, earlier) : withEarlier(walk, earlier);
  }

  /** A file is given to the writer, read as it is: a later archive may take it over, unless its times may not tell of a change. */
  given(path: string, stat: FileStat): void {
    if (isSettled(stat, this.#reusing.begun)) this.#files.give(path, { stat, isProven: false });
  }

  /** The same of a file that is taken over itself. */
  taking(path: string, { stat, isProven }: KnownEntry): void {
    this.#files.give(path, { stat, isProven });
  }

  /** The same of entries that lie together; gives what is to be told of their new place. */
  takingMember(source: string, known: KnownMember, walked: readonly Walked[]): (member: PackedMember) => void {
    const files = walked.flatMap((one) => (one.kind === 'file' ? [one] : []));
    for (const { stat } of files) this.#files.countTaken(stat.size);
    return this.#files.takeTogether(
      source,
      known,
      files.map(({ path }) => path),
    );
  }

  /** What was given or taken over under this path was taken back: what comes is another. */
  forget(path: string): void {
    this.#files.forget(path);
  }

  /** One was taken over. `bytes`: of its content. */
  countTaken(bytes: number): void {
    this.#files.countTaken(bytes);
  }

  /** The packed blocks of a large file that did not change. Throws `EarlierDamage`. */
  blocks(source: string, { place }: KnownEntry): AsyncIterable<Buffer> {
    return this.#archiveOf(source).blocks(place);
  }

  /** A database is given to the writer: the blocks that an earlier archive has of it. */
  async database(source: string, path: string, known: KnownEntry | undefined): Promise<EarlierBlocks> {
    const earlier = this.#reusing.sources.get(source);
    const entry = known ?? entryOf(path === source ? await earlier?.cursor.find(path) : undefined);
    const proven = entry?.isProven === true ? entry.place : undefined;
    this.#files.give(path, { stat: undefined, isProven: false, earlier: proven });
    if (earlier === undefined || entry === undefined) return noBlocks;
    return earlier.archive.databaseBlocks(entry.place, this.#reusing.passphrase);
  }

  written(sum: EntrySum): void {
    this.#files.written(sum);
  }

  writtenTogether(entries: readonly EntryHeader[], member: PackedMember): void {
    this.#files.writtenTogether(entries, member);
  }

  provenBefore(): ProvenBefore {
    return this.#files.provenBefore();
  }

  /** The archive has its name: the next one may take over from it. Never rejects. */
  async publish(deps: Deps): Promise<void> {
    for (const [source, entries] of this.#reusing.entries) {
      await entries.publish().catch((error: unknown) => tellNotKept(source, error, deps));
    }
  }

  #archiveOf(source: string): EarlierArchive {
    const earlier = this.#reusing.sources.get(source);
    if (earlier === undefined) throw new Error(`nothing is known of ${source}`);
    return earlier.archive;
  }
}
