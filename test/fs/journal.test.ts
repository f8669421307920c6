import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createJournal, Journal, journalPhase, phases, readJournal, removeJournal } from '../../src/fs/journal.js';
import type { Step } from '../../src/fs/journal-format.js';
import { recoverSwap } from '../../src/fs/swap.js';
import { systemSwapIo } from '../../src/fs/swap-io.js';
import { isRoot, oddNames, temporaryFolder } from '../helpers/surroundings.js';

const identity = { kind: 'file', dev: '1', ino: '18446744073709551615', size: '7', mtime: '-1' } as const;
const places = { live: '/r/live', aside: '/r/room/swap-1/aside/0/live', place: '/r/room/swap-1' };
const steps: readonly Step[] = [
  { kind: 'database', ...places, old: identity, new: { staged: '/r/room/new/live', identity } },
  { kind: 'entry', ...places },
  { kind: 'carry', ...places, old: { ...identity, kind: 'folder' } },
  ...oddNames.map((name): Step => ({ kind: 'entry', ...places, live: `/r/${name}`, old: identity })),
];

function folder(): string {
  const made = join(temporaryFolder(), '.bkp-restore');
  mkdirSync(made, { mode: 0o700 });
  return made;
}

describe('a journal', () => {
  it('is read as it was written, and is for its owner alone', async () => {
    const at = folder();
    const journal = await createJournal(at, steps);
    expect(journal.file).toBe(join(at, 'journal.staged.json'));
    expect(statSync(journal.file).mode & 0o777).toBe(0o600);
    expect(readdirSync(at)).toEqual(['journal.staged.json']);
    const read = readJournal(at)!;
    expect(read.steps).toEqual(steps);
    expect(read.phase).toBe('staged');
  });

  it('tells by its name how far the swap came', async () => {
    const at = folder();
    const journal = await createJournal(at, steps);
    for (const phase of phases.slice(1)) {
      await journal.mark(phase, systemSwapIo);
      expect(readdirSync(at)).toEqual([`journal.${phase}.json`]);
      expect(journalPhase(at)).toBe(phase);
      expect(readJournal(at)).toMatchObject({ phase, file: journal.file });
    }
  });

  it('is not made beside another one', async () => {
    const at = folder();
    const journal = await createJournal(at, steps);
    await journal.mark('committing', systemSwapIo);
    await expect(createJournal(at, [])).rejects.toMatchObject({ id: 'restore-unfinished', exitCode: 15 });
    expect(readJournal(at)!.steps).toEqual(steps);
  });

  it('is only made where it would be followed later', async () => {
    const at = folder();
    chmodSync(at, 0o777);
    await expect(createJournal(at, steps)).rejects.toMatchObject({ id: 'journal-unsafe' });
    await expect(createJournal(`${at}/none`, steps)).rejects.toMatchObject({ id: 'io-failed' });
    expect(readdirSync(at)).toEqual([]);
  });

  it('is not there in a folder without one, nor in one that is missing', () => {
    const at = folder();
    for (const path of [at, `${at}/none`]) {
      expect(readJournal(path)).toBeUndefined();
      expect(journalPhase(path)).toBeUndefined();
    }
  });

  it('is removed with what a killed process left of another, but not while it is needed', async () => {
    const at = folder();
    writeFileSync(join(at, '.journal.staged.json.0123abcd.partial'), '{');
    writeFileSync(join(at, 'kept'), '');
    for (const phase of phases) {
      const journal = await createJournal(at, steps);
      await journal.mark(phase, systemSwapIo);
      if (phase === 'committing' || phase === 'undoing') {
        await expect(removeJournal(journal)).rejects.toThrow(RangeError);
        await journal.mark('undone', systemSwapIo);
      }
      await removeJournal(journal);
      expect(readdirSync(at)).toEqual(['kept']);
    }
  });
});

describe('a damaged journal', () => {
  async function written(content: (text: string) => string | Buffer): Promise<string> {
    const at = folder();
    const { file } = await createJournal(at, steps);
    writeFileSync(file, content(readFileSync(file, 'utf8')));
    renameSync(file, join(at, 'journal.committing.json'));
    return at;
  }

  async function expectRefused(at: string, id: string, exitCode: number): Promise<void> {
    const before = readdirSync(at);
    const refused = { id, exitCode, message: expect.stringContaining(at) as unknown };
    expect(() => readJournal(at)).toThrow(expect.objectContaining(refused));
    await expect(recoverSwap(at)).rejects.toMatchObject(refused);
    expect(readdirSync(at)).toEqual(before);
  }

  it('is refused wherever it was cut', async () => {
    const { length } = await fullText();
    for (let end = 0; end < length - 1; end += 37) {
      await expectRefused(await written((text) => text.slice(0, end)), 'journal-damaged', 14);
    }
  });

  it.each([
    ['no JSON', 'garbage'],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['null', 'null'],
    ['a list', '[]'],
    ['of another program', '{"format":"other","version":1,"steps":[]}'],
    ['without a version', '{"format":"bkp-swap-journal","steps":[]}'],
    ['with a key too many', '{"format":"bkp-swap-journal","version":1,"steps":[],"more":1}'],
  ])('is refused where it is %s', async (_, content) => {
    await expectRefused(await written(() => content), 'journal-damaged', 14);
  });

  it.each([
    ['a relative path', { live: 'r/live' }],
    ['a path that climbs', { live: '/r/../etc/passwd' }],
    ['a path with a NUL', { live: '/r/\0' }],
    ['an unknown kind', { kind: 'delete' }],
    ['a number that is none', { old: { ...identity, ino: '1e3' } }],
    ['a key too many', { extra: true }],
    ['a new thing without its identity', { new: { staged: '/r/new' } }],
  ])('is refused where a step has %s', async (_, change) => {
    const step = { ...steps[0], ...change };
    const text = JSON.stringify({ format: 'bkp-swap-journal', version: 1, steps: [step] });
    await expectRefused(await written(() => text), 'journal-damaged', 14);
  });

  it('is refused where there are two, or where it is no file', async () => {
    const at = folder();
    await createJournal(at, steps);
    writeFileSync(join(at, 'journal.undoing.json'), readFileSync(join(at, 'journal.staged.json')));
    await expectRefused(at, 'journal-damaged', 14);
    expect(() => journalPhase(at)).toThrow(/several/);
    const other = folder();
    mkdirSync(join(other, 'journal.staged.json'));
    await expectRefused(other, 'journal-damaged', 14);
  });

  it('is told from one of a newer version', async () => {
    const text = '{"format":"bkp-swap-journal","version":2,"what":"ever"}';
    await expectRefused(await written(() => text), 'format-newer', 15);
  });

  it('is not followed where somebody else could have written it', async () => {
    const at = folder();
    const { file } = await createJournal(at, steps);
    chmodSync(file, 0o660);
    await expectRefused(at, 'journal-unsafe', 15);
    chmodSync(file, 0o600);
    chmodSync(at, 0o770);
    await expectRefused(at, 'journal-unsafe', 15);
    chmodSync(at, 0o700);
    renameSync(file, `${at}/../elsewhere`);
    symlinkSync('../elsewhere', file);
    await expectRefused(at, 'io-failed', 1);
    const linked = `${at}-link`;
    symlinkSync(at, linked);
    await expectRefused(linked, 'io-failed', 1);
  });

  it.runIf(isRoot)('is not followed by root where it belongs to another user', async () => {
    const at = folder();
    const { file } = await createJournal(at, steps);
    chownSync(file, 65534, 65534);
    await expectRefused(at, 'journal-unsafe', 15);
    chownSync(file, 0, 0);
    chownSync(at, 65534, 65534);
    await expectRefused(at, 'journal-unsafe', 15);
  });

  async function fullText(): Promise<string> {
    return readFileSync((await createJournal(folder(), steps)).file, 'utf8');
  }
});

it('keeps its phase where it could not be marked', async () => {
  const at = folder();
  await createJournal(at, []);
  const journal = new Journal(at, [], 'committing');
  await expect(journal.mark('committed', systemSwapIo)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(journal.phase).toBe('committing');
});
