import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that take longest, first: one of them that begins late is waited for by itself. A guess that has become wrong costs
 * time, nothing else.
 */
const longest = [
  'test/archive/zip/huge-entry',
  'test/operations/reuse/reuse.',
  'test/operations/in-place-calls',
  'test/commands/restore-wizard',
  'test/commands/restore-prompt',
  'test/commands/streaming',
  'test/commands/surroundings',
  'test/transcripts',
  'test/e2e/',
  'test/operations/in-place',
  'test/sqlite/swap',
  'test/sqlite/database-locks',
  'test/sqlite/locks-killed',
  'test/operations/repacked',
  'test/operations/prune-killed',
  'test/operations/interrupted-create',
  'test/archive/zip/zip64',
  'test/operations/altered-',
  'test/fs/swap-killed',
  'test/docs/',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = longest.findIndex((part) => moduleId.includes(part));
      return place < 0 ? longest.length : place;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

/** Files that measure what their process holds or has loaded: each in a process of its own. */
const alone = [
  'test/archive/tar/memory.test.ts',
  'test/archive/zip/reader.test.ts',
  'test/compress/inflate.test.ts',
  'test/compress/pool.test.ts',
  'test/compress/release.test.ts',
  'test/config/lazy-loaders.test.ts',
  'test/manifest/parse.test.ts',
];

export default defineConfig({
  test: {
    globalSetup: ['test/helpers/templates-folder.ts'],
    // Children, locks and temporary file systems are slower on a loaded two-core machine than the default allows.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // One more than the cores of a small machine: many tests wait for a disk, a lock or a process.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      // To load all modules again for each file would take longer than most files.
      { extends: true, test: { name: 'together', isolate: false, include: ['test/**/*.test.ts'], exclude: alone } },
      { extends: true, test: { name: 'alone', isolate: true, include: alone } },
    ],
  },
});
