import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bkpProcess, jsonLines, type Ran } from '../helpers/cli.js';
import { failure, restore } from '../helpers/instance.js';
import { residentBkp, type Usage } from '../helpers/resident.js';
import { isFull, rounds } from '../helpers/rounds.js';
import type { Hostile, Json } from '../helpers/hostile-archives.js';
import { removeTree } from '../../src/fs/remove-tree.js';
import { hostileProofs } from './hostile-proofs.js';
import { hostileTars } from './hostile-tars.js';
import { hostileZips } from './hostile-zips.js';

const all: readonly Hostile[] = [...hostileZips, ...hostileTars, ...hostileProofs];
/** What an archive says of itself and we do not open; everything else is damage. */
const refusals = new Set(['format-newer', 'encryption-unsupported']);
const idOf = ({ name }: Hostile): string => name.split('.', 1)[0] ?? name;
const exitOf = (hostile: Hostile): number => (refusals.has(idOf(hostile)) ? 15 : 14);

const place = mkdtempSync(join(tmpdir(), 'bkp-hostile-'));
const fileOf = ({ name }: Hostile): string => join(place, 'archives', name);
const preload = fileURLToPath(new URL('../helpers/report-usage.mjs', import.meta.url));

interface Run extends Ran {
  readonly peakMiB: number;
  readonly cpuSeconds: number;
}

interface Restored {
  readonly code: number | null;
  readonly error: { readonly id?: unknown; readonly message?: unknown };
  readonly before: Json;
  readonly after: Json;
  /** Where the command line did it. */
  readonly run: Run | undefined;
}

const verified = new Map<string, { readonly run: Run; readonly ids: readonly unknown[]; readonly backup: Json }>();
const restored = new Map<string, Restored>();

let boxes = 0;

/** A world of its own: home, temporary folder, working folder and something to be found by what breaks out. */
function newBox(): string {
  const box = join(place, 'boxes', String(boxes++));
  for (const folder of ['home', 'tmp', 'work/empty', 'outside']) mkdirSync(join(box, folder), { recursive: true });
  writeFileSync(join(box, 'outside/kept'), 'kept');
  writeFileSync(join(box, 'work/kept'), 'kept');
  return box;
}

/** As a process of its own, or in one that stays. */
async function runIn(box: string, args: readonly string[], isResident = false): Promise<Run> {
  const usage = `${box}.usage`;
  const env = {
    ...{ PATH: process.env['PATH'], HOME: join(box, 'home'), TMPDIR: join(box, 'tmp') },
    ...{ NODE_OPTIONS: `--import=${preload}`, BKP_TEST_USAGE: usage },
  };
  const run = { args: [...args, '--json'], cwd: join(box, 'work'), env };
  const ran: Ran & Partial<Usage> = isResident ? await residentBkp(run) : await bkpProcess(run.args, run);
  // Of its children too, and of itself where it is one.
  const text = existsSync(usage) ? readFileSync(usage, 'utf8').trim() : '';
  const lines = text.split('\n').filter((line) => line !== '');
  if (ran.peakKiB !== undefined) lines.push(`${ran.peakKiB} ${ran.cpuMs}`);
  if (lines.length === 0) throw new Error(`${args.join(' ')} ended with ${ran.code}: ${ran.stderr}`);
  const [peaks, times] = [0, 1].map((column) => lines.map((line) => Number(line.split(' ')[column])));
  return { ...ran, peakMiB: Math.max(...(peaks ?? [])) / 1024, cpuSeconds: Math.max(...(times ?? [])) / 1000 };
}

/** Path → what is there. */
function treeOf(folder: string): Json {
  const found: Json = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) found[path] = readlinkSync(path);
    else found[path] = entry.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : 'folder';
  }
  return found;
}

async function verifyAll(some: readonly Hostile[], isResident: boolean): Promise<void> {
  const run = await runIn(newBox(), ['verify', ...some.map(fileOf)], isResident);
  const lines = jsonLines(run);
  const backups = (lines.at(-1)?.['backups'] ?? []) as Json[];
  for (const hostile of some) {
    const own = lines.filter(({ type, file }) => type === 'finding' && file === fileOf(hostile));
    const backup = backups.find(({ file }) => file === fileOf(hostile)) ?? {};
    verified.set(hostile.name, { run, backup, ids: [...new Set(own.map(({ id }) => id))] });
  }
}

type Way = 'process' | 'resident' | 'here';

/** Every second one into a folder that is not there, the others into an empty one. */
async function restoreOne(hostile: Hostile, index: number, way: Way): Promise<void> {
  const box = newBox();
  const before = treeOf(box);
  const target = join(box, 'work', index % 2 === 0 ? 'absent' : 'empty');
  if (way === 'here') {
    const error = await failure(restore(fileOf(hostile), target, {}, { temporaryFolder: join(box, 'tmp') }));
    restored.set(hostile.name, { code: error.exitCode, error, before, after: treeOf(box), run: undefined });
    return;
  }
  const run = await runIn(box, ['restore', fileOf(hostile), '--target', target], way === 'resident');
  const error = jsonLines(run).at(-1) ?? {};
  restored.set(hostile.name, { code: run.code, error, before, after: treeOf(box), run });
}

/** What is meant to take memory or time. */
const attacksResources = /bomb|huge|gigabytes|millions|many|deep|long|beyond|2-to-the/;

/**
 * By the command line the first of each kind and what attacks its process, a sample of them in processes of their own; the
 * others by what it calls.
 */
async function restoreEach(): Promise<void> {
  const seen = new Set<string>();
  for (const [index, hostile] of all.entries()) {
    const isFirst = !seen.has(idOf(hostile));
    seen.add(idOf(hostile));
    const isTold = isFull || isFirst || attacksResources.test(hostile.name);
    const isApart = isProcesses || index % (apart * batch) === 0;
    await restoreOne(hostile, index, isApart ? 'process' : isTold ? 'resident' : 'here');
  }
}

const batch = 15;
/** Of so many batches one is verified, and the first of it restored, by a process of its own. */
const apart = rounds(6, 1);
const isProcesses = process.env['BKP_TEST_PROCESSES'] === '1';

beforeAll(async () => {
  mkdirSync(join(place, 'archives'));
  for (const hostile of all) {
    writeFileSync(fileOf(hostile), hostile.bytes);
    if (hostile.side !== undefined) writeFileSync(`${fileOf(hostile)}.sha256`, hostile.side);
  }
  for (let from = 0; from < all.length; from += batch)
    await verifyAll(all.slice(from, from + batch), !isProcesses && from % (apart * batch) !== 0);
  await restoreEach();
}, 600_000);

afterAll(() => removeTree(place));

/** A crash, a bug, or something said beside the JSON. */
function expectSound({ stdout, stderr, peakMiB, cpuSeconds }: Run): void {
  expect(stderr).toBe('');
  expect(stdout).not.toMatch(/this is a bug|"internal"/);
  expect(peakMiB).toBeGreaterThan(10);
  expect(peakMiB).toBeLessThan(300);
  expect(cpuSeconds).toBeLessThan(10);
}

describe('a hostile archive', () => {
  it('comes in more than fifty kinds, each with a name of its own', () => {
    expect(all.length).toBeGreaterThan(150);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  });

  describe.each(all.map((hostile) => [hostile.name, hostile] as const))('%s', (name, hostile) => {
    it('is told by verify as what it is, and as nothing else', () => {
      const found = verified.get(name);
      expect(found?.backup['exitCode']).toBe(exitOf(hostile));
      if (refusals.has(idOf(hostile))) expect((found?.backup['error'] as Json)['id']).toBe(idOf(hostile));
      else expect([...(found?.ids ?? [])].sort()).toEqual([idOf(hostile), ...(hostile.also ?? [])].sort());
      if (found !== undefined) expectSound(found.run);
    });

    it('is not restored, and nothing appears anywhere', () => {
      const found = restored.get(name);
      expect(found?.code).toBe(exitOf(hostile));
      expect(found?.error.id).toBe(refusals.has(idOf(hostile)) ? idOf(hostile) : 'archive-damaged');
      const told = [idOf(hostile), ...(hostile.also ?? [])].some((id) =>
        String(found?.error.message).includes(`(${id})`),
      );
      expect(told || refusals.has(idOf(hostile))).toBe(true);
      expect(found?.after).toEqual(found?.before);
      if (found?.run !== undefined) expectSound(found.run);
    });
  });

  it('has left nothing at the places that some of them name', () => {
    for (const path of ['/bkp-hostile-escaped', '/escaped', join(tmpdir(), 'escaped'), join(place, 'escaped')]) {
      expect(existsSync(path)).toBe(false);
    }
  });
});
