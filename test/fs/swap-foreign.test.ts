import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readJournal, type Journal, type Phase } from '../../src/fs/journal.js';
import { commitSwap, recoverSwap } from '../../src/fs/swap.js';
import { surveySwap, type Unexpected } from '../../src/fs/swap-survey.js';
import {
  everyKind,
  inventory,
  journalOf,
  nestedDatabase,
  one,
  snapshot,
  systemError,
  watchedIo,
  type Call,
  type Scene,
} from './swap-scenes.js';

interface Killed {
  readonly root: string;
  readonly folder: string;
  readonly room: string;
  /** Recovers; whatever happened, nothing that was there is missing afterwards, and a second time changes nothing. */
  recover(): Promise<{
    readonly journal: Journal;
    readonly unexpected: readonly Unexpected[];
    readonly error: unknown;
  }>;
}

type Where = (call: Call, path: string) => boolean;

/** Killed just before a call; before that, where `failing` is told, that call fails and all is moved back. */
async function killed(made: Scene, before: Where, failing?: Where): Promise<Killed> {
  const { root, folder } = made;
  let dead = false;
  let failed = failing === undefined;
  const io = watchedIo((_, call, path) => {
    const fails = !failed && failing?.(call, path) === true;
    failed ||= fails;
    dead ||= failed && !fails && before(call, path);
    if (dead || fails) throw systemError(dead ? 'KILLED' : 'EIO', call, path);
  });
  await expect(commitSwap(await journalOf(made), io)).rejects.toThrow();
  expect(dead).toBe(true);
  return { root, folder, room: `${folder}/swap-1`, recover: () => recoverAll(made) };
}

async function recoverAll({ root, folder }: Scene): ReturnType<Killed['recover']> {
  const all = inventory(root);
  const error: unknown = await recoverSwap(folder).then(
    () => undefined,
    (caught: unknown) => caught,
  );
  for (const identity of all) expect(inventory(root)).toContain(identity);
  const journal = readJournal(folder)!;
  const unexpected = surveySwap(journal);
  const tree = snapshot(root);
  await recoverSwap(folder);
  expect(snapshot(root)).toEqual(tree);
  expect(surveySwap(journal)).toEqual(unexpected);
  return { journal, unexpected, error };
}

const renaming =
  (ending: string): Where =>
  (call, path) =>
    call === 'rename' && path.endsWith(ending);

/** As an application that writes a file anew does it: another file under the same name. */
function replace(path: string, content: string): void {
  writeFileSync(`${path}.tmp`, content);
  renameSync(`${path}.tmp`, path);
}

const text = (path: string): string => readFileSync(path, 'utf8');
const done: Phase = 'committed';

describe('after a kill on the way forward', () => {
  it('a folder that the application made in the meantime is kept beside the new one', async () => {
    const at = await killed(await everyKind(), renaming('new/uploads'));
    mkdirSync(`${at.root}/var/uploads`);
    writeFileSync(`${at.root}/var/uploads/fresh.png`, 'fresh');
    const { journal, unexpected } = await at.recover();
    expect(journal.phase).toBe(done);
    expect(text(`${at.root}/var/uploads/a.png`)).toBe('new a');
    expect(text(`${at.root}/var/uploads/cache/tmp`)).toBe('mine');
    expect(unexpected).toEqual([{ kind: 'moved', live: `${at.root}/var/uploads`, at: `${at.room}/found/3/uploads` }]);
    expect(text(`${at.room}/found/3/uploads/fresh.png`)).toBe('fresh');
  });

  it('a database that was replaced before its turn is kept', async () => {
    const at = await killed(await everyKind(), renaming('new/system.brain'));
    replace(`${at.root}/var/system.brain`, 'replaced');
    const { journal, unexpected } = await at.recover();
    expect(journal.phase).toBe(done);
    expect(text(`${at.root}/var/system.brain`)).toBe('new system, longer');
    expect(text(`${at.room}/aside/0/system.brain`)).toBe('old system');
    expect(unexpected).toEqual([
      { kind: 'moved', live: `${at.root}/var/system.brain`, at: `${at.room}/found/0/system.brain` },
    ]);
    expect(text(`${at.room}/found/0/system.brain`)).toBe('replaced');
  });

  it('a database that was written into before its turn is put aside, and named', async () => {
    const at = await killed(await everyKind(), renaming('new/system.brain'));
    appendFileSync(`${at.root}/var/system.brain`, ', and more');
    const { unexpected } = await at.recover();
    const aside = `${at.room}/aside/0/system.brain`;
    expect(unexpected).toEqual([{ kind: 'moved', live: `${at.root}/var/system.brain`, at: aside }]);
    expect(text(aside)).toBe('old system, and more');
  });

  it('a new database that is in use already stays, and is named', async () => {
    const at = await killed(await everyKind(), renaming('new/uploads'));
    appendFileSync(`${at.root}/var/system.brain`, ' by the application');
    replace(`${at.root}/var/user.brain`, 'replaced');
    const { journal, unexpected } = await at.recover();
    expect(journal.phase).toBe(done);
    expect(text(`${at.root}/var/system.brain`)).toBe('new system, longer by the application');
    expect(text(`${at.root}/var/user.brain`)).toBe('replaced');
    expect(unexpected).toEqual([
      { kind: 'altered', live: `${at.root}/var/system.brain` },
      { kind: 'altered', live: `${at.root}/var/user.brain` },
    ]);
  });

  it('a new thing that was deleted is not taken for one that never came', async () => {
    const at = await killed(await everyKind(), renaming('new/uploads'));
    unlinkSync(`${at.root}/var/user.brain`);
    const { journal, unexpected } = await at.recover();
    expect(journal.phase).toBe(done);
    expect(unexpected).toEqual([{ kind: 'gone', live: `${at.root}/var/user.brain` }]);
  });

  it('it goes back where the last new one was replaced: whether it ever came cannot be told', async () => {
    const made = await one({ db: 'old' }, { db: 'new!' }, 'db', { kind: 'database' });
    const at = await killed(made, renaming('journal.committing.json'));
    replace(`${at.root}/db`, 'replaced');
    const { journal, unexpected, error } = await at.recover();
    expect(error).toMatchObject({ id: 'restore-rolled-back', exitCode: 17 });
    expect(journal.phase).toBe('undone');
    expect(text(`${at.root}/db`)).toBe('old');
    expect(unexpected).toEqual([{ kind: 'moved', live: `${at.root}/db`, at: `${at.room}/found/0/db` }]);
  });

  it.each(['gone', 'altered'])('it goes back where what is staged is %s', async (how) => {
    const made = await everyKind();
    const before = snapshot(made.root);
    const at = await killed(made, renaming('new/.env'));
    if (how === 'gone') unlinkSync(`${at.folder}/new/.env`);
    else appendFileSync(`${at.folder}/new/.env`, 'EVIL=1');
    const { journal, unexpected, error } = await at.recover();
    expect(error).toMatchObject({ id: 'restore-rolled-back' });
    expect(journal.phase).toBe('undone');
    expect(snapshot(made.root)).toEqual(before);
    expect(unexpected).toEqual([]);
  });

  it('what appeared where nothing lay, or where a carried thing goes, is kept', async () => {
    const at = await killed(await everyKind(), renaming('new/user.brain'));
    writeFileSync(`${at.root}/var/user.brain`, 'made by the application');
    const first = await at.recover();
    expect(first.unexpected).toEqual([
      { kind: 'moved', live: `${at.root}/var/user.brain`, at: `${at.room}/aside/1/user.brain` },
    ]);
    const again = await killed(await everyKind(), renaming('uploads/cache'));
    mkdirSync(`${again.root}/var/uploads/cache`);
    const second = await again.recover();
    expect(text(`${again.root}/var/uploads/cache/tmp`)).toBe('mine');
    expect(second.unexpected).toEqual([
      { kind: 'moved', live: `${again.root}/var/uploads/cache`, at: `${again.room}/found/4/cache` },
    ]);
  });

  it('what appeared at a place that was to become empty stays there', async () => {
    const at = await killed(await everyKind(), renaming('new/uploads'));
    writeFileSync(`${at.root}/var/system.brain-wal`, 'fresh');
    const { journal, unexpected } = await at.recover();
    expect(journal.phase).toBe(done);
    expect(text(`${at.root}/var/system.brain-wal`)).toBe('fresh');
    expect(unexpected).toEqual([{ kind: 'altered', live: `${at.root}/var/system.brain-wal` }]);
  });

  it('nothing is moved while a file system is missing', async () => {
    const at = await killed(await everyKind(), renaming('new/uploads'));
    renameSync(at.room, `${at.root}/unmounted`);
    const before = snapshot(at.root);
    await expect(recoverSwap(at.folder)).rejects.toMatchObject({ id: 'swap-impossible', exitCode: 15 });
    expect(snapshot(at.root)).toEqual(before);
    renameSync(`${at.root}/unmounted`, at.room);
    expect((await at.recover()).journal.phase).toBe(done);
  });
});

describe('after a kill on the way back', () => {
  const failing = renaming('new/link');

  it('what was written into new databases and folders is kept', async () => {
    const at = await killed(await everyKind(), renaming('/.env'), failing);
    appendFileSync(`${at.root}/var/system.brain`, ' by the application');
    writeFileSync(`${at.root}/var/uploads/fresh.png`, 'fresh');
    const { journal, unexpected } = await at.recover();
    expect(journal.phase).toBe('undone');
    expect(text(`${at.root}/var/system.brain`)).toBe('old system');
    expect(unexpected).toEqual([
      { kind: 'moved', live: `${at.root}/var/system.brain`, at: `${at.room}/found/0/system.brain` },
    ]);
    expect(text(`${at.room}/found/0/system.brain`)).toBe('new system, longer by the application');
    expect(text(`${at.folder}/new/uploads/fresh.png`)).toBe('fresh');
  });

  it('what replaced a new database is kept', async () => {
    const at = await killed(await everyKind(), renaming('aside/3/uploads'), failing);
    replace(`${at.root}/var/system.brain`, 'replaced');
    mkdirSync(`${at.root}/var/uploads`);
    const { journal, unexpected } = await at.recover();
    expect(journal.phase).toBe('undone');
    expect(text(`${at.root}/var/system.brain`)).toBe('old system');
    expect(text(`${at.root}/var/uploads/a.png`)).toBe('old a');
    expect(unexpected).toEqual([
      { kind: 'moved', live: `${at.root}/var/system.brain`, at: `${at.room}/found/0/system.brain` },
      { kind: 'moved', live: `${at.root}/var/uploads`, at: `${at.room}/found/3/uploads` },
    ]);
  });

  it('what was replaced or written after it had come back stays', async () => {
    const at = await killed(await everyKind(), renaming('aside/0/system.brain'), failing);
    writeFileSync(`${at.root}/var/user.brain`, 'made by the application');
    replace(`${at.root}/.env`, 'OTHER=1');
    unlinkSync(`${at.root}/mount/going`);
    const { journal, unexpected } = await at.recover();
    expect(journal.phase).toBe('undone');
    expect(text(`${at.root}/.env`)).toBe('OTHER=1');
    expect(unexpected).toEqual([
      { kind: 'altered', live: `${at.root}/var/user.brain` },
      { kind: 'gone', live: `${at.root}/mount/going` },
      { kind: 'altered', live: `${at.root}/.env` },
    ]);
  });

  it('a second name of the live database is taken away, which a rename would not do', async () => {
    const made = await one({ db: 'old' }, { db: 'new!' }, 'db', { kind: 'database' });
    const at = await killed(made, (call) => call === 'unlink', renaming('new/db'));
    expect(existsSync(`${at.room}/aside/0/db`)).toBe(true);
    const { journal, unexpected } = await at.recover();
    expect(journal.phase).toBe('undone');
    expect(unexpected).toEqual([]);
    expect(existsSync(`${at.room}/aside/0/db`)).toBe(false);
    expect(text(`${at.root}/db`)).toBe('old');
  });

  it('an old thing that somebody removed is named', async () => {
    const at = await killed(await everyKind(), renaming('aside/3/uploads'), failing);
    rmSync(`${at.room}/aside/0/system.brain`);
    const { journal, unexpected } = await at.recover();
    expect(journal.phase).toBe('undone');
    expect(unexpected).toEqual([{ kind: 'gone', live: `${at.root}/var/system.brain` }]);
  });

  it('a database inside a folder comes back into it', async () => {
    const at = await killed(await nestedDatabase(), renaming('pb/data.db'), renaming('new/data.db'));
    const { journal, unexpected } = await at.recover();
    expect(journal.phase).toBe('undone');
    expect(text(`${at.root}/pb/data.db`)).toBe('old');
    expect(unexpected).toEqual([]);
  });
});
