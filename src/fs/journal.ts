import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync, type Stats } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { BkpError, errorText, ioError, systemCode } from '../base/errors.js';
import { FolderHandle } from './folder-handle.js';
import { journalDamaged, parseSteps, serializeSteps, type Step } from './journal-format.js';
import { isPartialName } from './partial-file.js';
import { systemSwapIo, type SwapIo } from './swap-io.js';
import { syncFolder } from './sync-folder.js';

/**
 * `staged`: nothing was moved. `committing`: on the way to the new state. `undoing`: on the way back. `committed`,
 * `undone`: the new state, the old one.
 */
export const phases = ['staged', 'committing', 'undoing', 'committed', 'undone'] as const;
export type Phase = (typeof phases)[number];

/**
 * The plan of a swap, written once, whole and synced before the first move. How far it came is the file's name
 * (`journal.committing.json`): a rename is atomic and needs no space on a full disk. Which moves were done is not written
 * down: the identities in it let the file system itself tell.
 */
export class Journal {
  readonly folder: string;
  readonly steps: readonly Step[];
  #phase: Phase;

  constructor(folder: string, steps: readonly Step[], phase: Phase) {
    this.folder = folder;
    this.steps = steps;
    this.#phase = phase;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Its path, until the phase changes. */
  get file(): string {
    return journalFile(this.folder, this.#phase);
  }

  /** Throws system errors; `phase` then says what the file is called. */
  async mark(phase: Phase, io: SwapIo): Promise<void> {
    io.rename(this.file, journalFile(this.folder, phase));
    this.#phase = phase;
    await io.syncFolder(this.folder);
  }
}

/**
 * Writes the journal of a swap into an existing private folder. Throws `restore-unfinished` where one is there, and
 * `journal-unsafe` where the folder is not private: it would not be followed after a kill.
 */
export async function createJournal(
  folder: string,
  steps: readonly Step[],
  io: SwapIo = systemSwapIo,
): Promise<Journal> {
  const found = journalPhase(folder);
  if (found !== undefined) throw unfinished(journalFile(folder, found));
  try {
    checkOwner(folder, lstatSync(folder));
  } catch (error) {
    throw ioError('looking at', folder, error);
  }
  const journal = new Journal(folder, steps, 'staged');
  try {
    await io.writeFile(journal.file, serializeSteps(steps));
  } catch (error) {
    throw await withdrawn(journal, error);
  }
  return journal;
}

/** A journal that may not be on the disk is none, and nothing was moved yet: it is taken back. Gives what to throw. */
async function withdrawn(journal: Journal, cause: unknown): Promise<unknown> {
  if (cause instanceof BkpError && cause.id === 'output-exists') return cause;
  try {
    if (journalPhase(journal.folder) !== undefined) await removeJournal(journal);
    return cause;
  } catch (error) {
    return new BkpError('io-failed', `${errorText(cause)} (and while cleaning up: ${errorText(error)})`, {
      cause,
      path: journal.file,
      hint: 'Nothing was moved. Mend what that says, then run `bkp restore --recover`.',
    });
  }
}

/** How far the swap journalled there came; undefined without one. A cheap look, for those who only have to refuse or warn. */
export function journalPhase(folder: string): Phase | undefined {
  try {
    return onlyPhase(folder, readdirSync(folder));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw ioError('looking for a journal in', folder, error);
  }
}

/**
 * The journal in a folder, undefined without one. Throws `journal-damaged`, `format-newer`, and `journal-unsafe` where
 * somebody else could have written it: it says which files to move, and may be read by root.
 */
export function readJournal(folder: string): Journal | undefined {
  let handle: FolderHandle | undefined;
  try {
    handle = new FolderHandle(folder);
    const phase = onlyPhase(folder, readdirSync(handle.base));
    if (phase === undefined) return undefined;
    const file = journalFile(folder, phase);
    checkOwner(folder, handle.stat);
    return new Journal(folder, parseSteps(readOwn(handle.at(journalName(phase)), file), file), phase);
  } catch (error) {
    if (handle === undefined && systemCode(error) === 'ENOENT') return undefined;
    throw ioError('reading the journal in', folder, error);
  } finally {
    handle?.close();
  }
}

/** Forgets a swap that is decided, or that never began. */
export async function removeJournal(journal: Journal): Promise<void> {
  const { folder, phase, file } = journal;
  if (phase === 'committing' || phase === 'undoing') throw new RangeError(`${file} is still needed`);
  try {
    await unlink(file);
    // One that a killed process was writing.
    const partials = readdirSync(folder).filter((name) => isPartialName(name) && name.startsWith('.journal.'));
    for (const name of partials) await unlink(join(folder, name));
  } catch (error) {
    throw ioError('removing', file, error);
  }
  await syncFolder(folder);
}

function journalName(phase: Phase): string {
  return `journal.${phase}.json`;
}

function journalFile(folder: string, phase: Phase): string {
  return join(folder, journalName(phase));
}

function onlyPhase(folder: string, names: readonly string[]): Phase | undefined {
  const [phase, ...more] = phases.filter((one) => names.includes(journalName(one)));
  if (phase !== undefined && more.length > 0) {
    throw journalDamaged(journalFile(folder, phase), 'there are several of them, and only one can be right');
  }
  return phase;
}

function readOwn(path: string, file: string): Buffer {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw journalDamaged(file, 'it is not a regular file');
    checkOwner(file, stat);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

const writableByOthers = 0o022;

function checkOwner(path: string, { uid, mode }: Pick<Stats, 'uid' | 'mode'>): void {
  const isOurs = uid === process.geteuid?.() || uid === 0;
  if (isOurs && (mode & writableByOthers) === 0) return;
  throw new BkpError('journal-unsafe', `${path} could have been written by somebody else: it is not followed`, {
    path,
    hint: 'Run this as the user who began the restore. If you did begin it yourself, make the folder and the journal yours alone (chown, chmod go-w).',
  });
}

function unfinished(file: string): BkpError {
  return new BkpError('restore-unfinished', `${file} belongs to a restore that was not finished`, {
    path: file,
    hint: 'Run `bkp restore --recover` first: it finishes or undoes that restore.',
  });
}
