import { rm } from 'node:fs/promises';
import type { ArchiveWriter, EarlierBlocks } from '../archive/archive.js';
import { timestamp } from '../base/clock.js';
import { parseEntryPath, type EntryPath } from '../base/entry-path.js';
import { BkpError, errorText } from '../base/errors.js';
import { blockSize } from '../base/limits.js';
import type { KnownEntry } from '../archive/known/known-entry.js';
import type { FileStat } from '../fs/file-stat.js';
import { openStable, readSmall } from '../fs/read-file.js';
import type { StableFile } from '../fs/stable-file.js';
import type { Walked } from '../fs/walk.js';
import { finding, type Finding, type FindingId } from '../manifest/findings.js';
import type { ManifestSource, Totals } from '../manifest/manifest.js';
import { addOpenFile, ChangedMeanwhile, type Care, type OpenFileOptions } from './add-open-file.js';
import type { CopyOutcome, DatabaseCopy, DatabaseToCopy } from './database-copies.js';
import { entryHeader, walkedHeader, type WalkedEntry } from './entry-header.js';
import { isLeftBySqlite, isLiveNow } from './live-databases.js';
import type { Reserved, ResolvedSource } from './resolve-sources.js';
import { hasSqliteHeader } from '../sqlite/header.js';
import { addUnchanged, addUnchangedMember } from './reuse/add-unchanged.js';
import type { Reuse } from './reuse/reuse.js';
import type { Passed } from './reuse/unchanged-files.js';
import { isMember, type PassedMember } from './reuse/unchanged-members.js';
import { SourceTally } from './source-tally.js';
import { missingFiles, walkSource } from './source-walk.js';

export interface ArchiverContext {
  readonly writer: ArchiveWriter;
  readonly excludes: readonly string[];
  readonly reserved: Reserved;
  /** By the path in the archive: what was copied of each live database. */
  readonly copies: ReadonlyMap<string, DatabaseCopy>;
  /** Copies a database that turned out to be live only now. */
  readonly copyLate: (database: DatabaseToCopy) => Promise<DatabaseCopy>;
  /** As the manifest and the user get it: relative to the instance's root where it lies in it. */
  readonly pathOf: (resolved: ResolvedSource) => string;
  /** Told of what went in exactly as it is. */
  readonly archived: (absolute: string, stat: FileStat) => void;
  readonly advance: (bytes: number, path: string) => void;
  /** What was written can be taken back: a large file that changes is read once more. Otherwise it is read once. */
  readonly canTakeBack: boolean;
  /** Undefined where nothing is taken over from an earlier archive, nor left for a later one. */
  readonly reuse: Reuse | undefined;
  readonly signal: AbortSignal;
}

/** Puts sources into an archive, entry by entry, and keeps count of what went in and what could not. */
export class SourceArchiver {
  readonly #context: ArchiverContext;
  readonly #findings: Finding[] = [];
  #totals: Totals = { files: 0, directories: 0, links: 0, bytes: 0 };
  #source = '';
  #tally = new SourceTally();
  /** Files and links that a `files` source was found to have, or that were told as findings. */
  readonly #named = new Set<string>();

  constructor(context: ArchiverContext) {
    this.#context = context;
  }

  get findings(): readonly Finding[] {
    return this.#findings;
  }

  get totals(): Totals {
    return this.#totals;
  }

  /** Archives one source. Its losses are findings; rejects only where the archive itself cannot go on. */
  async add(resolved: ResolvedSource, now: () => number): Promise<ManifestSource> {
    const { source } = resolved;
    this.#source = source.name;
    this.#tally = new SourceTally();
    this.#named.clear();
    const startedAt = now();
    const described =
      source.type === 'sqlite' ? await this.#addDatabaseSource(resolved) : await this.#addFolder(resolved);
    const { files, bytes, links, databases } = this.#tally;
    this.#totals = this.#tally.addedTo(this.#totals);
    return {
      name: source.name,
      type: source.type,
      scope: source.scope,
      path: this.#context.pathOf(resolved),
      files,
      bytes,
      startedAt: timestamp(described?.startedAt ?? startedAt),
      finishedAt: timestamp(described?.finishedAt ?? now()),
      ...(described?.facts === undefined ? {} : { sqlite: described.facts }),
      ...(Object.keys(databases).length === 0 ? {} : { databases }),
      ...(source.type === 'sqlite' ? {} : { links }),
    };
  }

  async #addDatabaseSource({ source }: ResolvedSource): Promise<CopyOutcome | undefined> {
    const copy = this.#context.copies.get(source.name);
    return copy === undefined ? undefined : this.#addCopy(copy);
  }

  async #addFolder(resolved: ResolvedSource): Promise<undefined> {
    const { excludes, reserved, reuse } = this.#context;
    const walk = walkSource(resolved, excludes, reserved);
    if (reuse === undefined) for (const walked of walk) await this.#addPassed({ walked }, resolved);
    else {
      for await (const group of reuse.pass(resolved.source.name, walk)) {
        for (const passed of group) {
          if (isMember(passed)) await this.#addMember(passed, reuse, resolved);
          else await this.#addPassed(passed, resolved);
        }
      }
    }
    for (const missing of missingFiles(resolved, this.#named))
      this.#find('source-missing', missing.path, missing.message);
  }

  async #addPassed(passed: Passed, resolved: ResolvedSource): Promise<void> {
    const { walked } = passed;
    this.#context.signal.throwIfAborted();
    if (isLeftBySqlite(walked, resolved)) return;
    this.#name(walked, resolved);
    await this.#addWalked(walked, passed);
  }

  #name({ kind, path }: Walked, { source }: ResolvedSource): void {
    if (source.type === 'files' && kind !== 'directory') this.#named.add(path);
  }

  async #addMember(member: PassedMember, reuse: Reuse, resolved: ResolvedSource): Promise<void> {
    const { writer, copies, signal } = this.#context;
    signal.throwIfAborted();
    // A database came to be open among them.
    if (member.walked.some((one) => copies.has(one.path) || isLeftBySqlite(one, resolved))) {
      for (const walked of member.walked) await this.#addPassed({ walked }, resolved);
      return;
    }
    for (const walked of member.walked) {
      this.#name(walked, resolved);
      this.#countWhole(walked);
    }
    await addUnchangedMember(writer, reuse, this.#source, member);
  }

  /** It is in the archive as it was walked. */
  #countWhole(walked: WalkedEntry): void {
    const { archived } = this.#context;
    if (walked.kind !== 'directory') archived(walked.absolute, walked.stat);
    if (walked.kind === 'directory') this.#tally.directories += 1;
    else if (walked.kind === 'link') this.#tally.links.push({ path: walked.path, target: walked.target });
    else this.#count(walked.path, walked.stat.size);
  }

  async #addWalked(walked: Walked, passed: Passed): Promise<void> {
    switch (walked.kind) {
      case 'finding':
        this.#find(walked.id, walked.path, walked.message);
        return;
      case 'directory':
      case 'link':
        this.#countWhole(walked);
        return this.#context.writer.add(walkedHeader(walked), { kind: 'none' });
      case 'file': {
        const copy = this.#context.copies.get(walked.path);
        if (copy !== undefined) return this.#addFound(walked.path, copy, passed.known);
        if (await this.#addUnchanged({ ...passed, walked })) return;
        return this.#addFile(walked.path, walked.absolute, walked.stat);
      }
    }
  }

  async #addUnchanged(passed: Parameters<typeof addUnchanged>[3]): Promise<boolean> {
    const { writer, reuse } = this.#context;
    if (reuse === undefined || !(await addUnchanged(writer, reuse, this.#source, passed))) return false;
    this.#countWhole(passed.walked);
    return true;
  }

  async #addFound(path: EntryPath, copy: DatabaseCopy, known?: KnownEntry): Promise<void> {
    const { facts } = await this.#addCopy(copy, known);
    if (facts !== undefined) this.#tally.databases[path] = facts;
  }

  /** `known`: what an earlier archive has of it, where it lies in a folder. */
  async #addCopy(copy: DatabaseCopy, known?: KnownEntry): Promise<CopyOutcome> {
    const { database } = copy;
    const earlier = await this.#context.reuse?.database(this.#source, database.entryPath, known);
    const isAdded = await this.#addUnproven(copy, earlier);
    const outcome = await copy.outcome;
    this.#findings.push(...outcome.findings);
    if (outcome.files.length > 0) this.#context.archived(database.absolute, database.stat);
    for (const { entryPath, path } of outcome.files) {
      if (!isAdded) await this.#addCopied(database, entryPath, path);
      // Early: what was not brought to the disk yet does not have to go there.
      await rm(path, { force: true });
    }
    return outcome;
  }

  /** Archives a copy while it is still being checked, which takes as long; false where it is to be archived afterwards. */
  async #addUnproven(
    { database, unproven, outcome }: DatabaseCopy,
    earlier: EarlierBlocks | undefined,
  ): Promise<boolean> {
    if (unproven === undefined || !this.#context.canTakeBack) return false;
    const prove = async (): Promise<void> => {
      // Facts are known only of a copy that SQLite made and found sound.
      if ((await outcome).facts === undefined) throw new CopyReplaced();
    };
    try {
      await this.#addCopied(database, database.entryPath, unproven, { prove, earlier });
      return true;
    } catch (error) {
      if (error instanceof CopyReplaced) return false;
      throw error;
    }
  }

  async #addCopied(
    database: DatabaseToCopy,
    entryPath: string,
    path: string,
    { prove, earlier }: Pick<OpenFileOptions, 'prove' | 'earlier'> = {},
  ): Promise<void> {
    const opened = openStable(path);
    if (opened.kind !== 'open') {
      // One that was found damaged is removed before others of its bytes lie there.
      await prove?.();
      throw new BkpError('io-failed', `the copy of ${entryPath} is gone`, { path });
    }
    const { file } = opened;
    const { mode, mtime, uid, gid } = database.stat;
    const stat = { ...file.stat, mode, mtime, uid, gid };
    await this.#addOpen(parseEntryPath(entryPath), file, { stat, prove, earlier }).finally(() => file.close());
  }

  /** An ordinary file: read once more where it changed meanwhile, then kept as it was read, and told. */
  async #addFile(path: EntryPath, absolute: string, listed: FileStat, attempt = 1): Promise<void> {
    if (listed.size > blockSize) return this.#addLarge(path, absolute, listed, attempt);
    const read = readSmall(absolute, listed, { room: (bytes) => this.#context.writer.room('bytes', bytes) });
    switch (read.kind) {
      case 'large':
        return this.#addLarge(path, absolute, listed, attempt);
      case 'vanished':
        return this.#find('file-vanished', path, 'it was there when the folder was listed, and is gone');
      case 'unreadable':
        return this.#find('file-unreadable', path, read.reason);
      case 'read':
        if (isLiveNow(absolute, read.bytes)) return this.#addLate(path, absolute, read.stat);
        if (read.changed && attempt === 1) return this.#addFile(path, absolute, listed, 2);
        if (read.changed) this.#changed(path);
        else this.#readAsIs(path, absolute, read);
        await this.#context.writer.add(entryHeader(path, 'file', read.stat), { kind: 'bytes', bytes: read.bytes });
        this.#count(path, read.stat.size);
    }
  }

  #readAsIs(path: EntryPath, absolute: string, { stat, bytes }: { stat: FileStat; bytes: Uint8Array }): void {
    this.#context.archived(absolute, stat);
    // A database that nobody has open now may be written through its sidecars later, its own file staying as it is.
    if (!hasSqliteHeader(bytes)) this.#context.reuse?.given(path, stat);
  }

  async #addLarge(path: EntryPath, absolute: string, listed: FileStat, attempt: number): Promise<void> {
    const opened = openStable(absolute, listed);
    if (opened.kind === 'vanished') {
      return this.#find('file-vanished', path, 'it was there when the folder was listed, and is gone');
    }
    if (opened.kind === 'unreadable') return this.#find('file-unreadable', path, opened.reason);
    const { file } = opened;
    try {
      const head = await firstBytes(file);
      if (isLiveNow(absolute, head)) return await this.#addLate(path, absolute, file.stat);
      const care = this.#care(attempt);
      this.#context.reuse?.forget(path);
      // What changes while it is read is taken back, if it is the first time; only then is it known in time.
      if (care === 'first' && !hasSqliteHeader(head)) this.#context.reuse?.given(path, file.stat);
      await this.#addOpen(path, file, { care });
      if (!file.changed()) this.#context.archived(absolute, file.stat);
    } catch (error) {
      if (error instanceof ChangedMeanwhile && attempt === 1) return await this.#addLarge(path, absolute, listed, 2);
      if (!(error instanceof BkpError) || error.id !== 'io-failed' || error.path !== absolute) throw error;
      return this.#find('file-unreadable', path, errorText(error));
    } finally {
      await file.close();
    }
  }

  /** What to do about a large file that changes or fails while it is read: what a stream took of it cannot be taken back. */
  #care(attempt: number): Care {
    if (!this.#context.canTakeBack) return 'once';
    return attempt === 1 ? 'first' : 'last';
  }

  /** Streams an open file into the archive, and tells what became of it meanwhile. */
  async #addOpen(path: EntryPath, file: StableFile, options: OpenFileOptions): Promise<void> {
    const { size } = options.stat ?? file.stat;
    await addOpenFile(this.#context, path, file, options);
    if (file.failure !== undefined)
      this.#find('file-unreadable', path, `${errorText(file.failure)}; the rest is zeros`);
    else if (file.changed()) this.#changed(path, options.care === 'once');
    this.#count(path, size <= blockSize ? size : 0, size);
  }

  /** A database that an application opened while the backup ran: its bytes alone may be torn. */
  async #addLate(path: EntryPath, absolute: string, stat: FileStat): Promise<void> {
    const database = { source: this.#source, entryPath: path, absolute, stat };
    const copy = await this.#context.copyLate(database);
    this.#context.reserved.addDatabase(absolute);
    this.#find(
      'not-one-instant',
      path,
      'it was opened while the backup ran, and copied later than the other databases',
    );
    return this.#addFound(path, copy);
  }

  #changed(path: EntryPath, once = false): void {
    const message = once
      ? 'it changed while it was read; a stream holds what was read, and zeros where it became shorter'
      : 'it changed while it was read, twice; the archive holds what was read the second time';
    this.#find('file-changed', path, message);
  }

  #count(path: EntryPath, advanced: number, bytes = advanced): void {
    this.#tally.files += 1;
    this.#tally.bytes += bytes;
    this.#context.advance(advanced, path);
  }

  #find(id: FindingId, path: string, message: string): void {
    this.#findings.push(finding(id, message, { source: this.#source, path }));
  }
}

/** What was archived of a database was found damaged: others of its bytes are to be kept. */
class CopyReplaced extends Error {}

async function firstBytes(file: StableFile): Promise<Buffer> {
  for await (const piece of file.read(4096)) return piece;
  return Buffer.alloc(0);
}
