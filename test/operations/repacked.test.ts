import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { create, describeTree, directory, failure, instance, newTarget, restore, verify } from '../helpers/instance.js';
import { temporaryFolder } from '../helpers/surroundings.js';
import { copyTemplate } from '../helpers/template.js';
import { bytes, linkTo, type Tree } from '../helpers/tree.js';
import { ids } from './altered-archives.js';
import { has, repackers, unpack, type Repacker } from './foreign-archives.js';
import type { Container } from '../../src/archive/archive.js';

const plain: Tree = {
  a: 'stored',
  b: 'deflated '.repeat(300),
  large: bytes(1_300_000),
  'sub dir': { 'ü 🦊.txt': 'x' },
  empty: {},
};
const linked: Tree = { ...plain, link: linkTo('sub dir') };

/** Names and content: all that another tool has to keep. */
function contents(folder: string): Record<string, string> {
  const found = Object.entries(describeTree(folder));
  return Object.fromEntries(found.map(([path, { type, content }]) => [path, `${type} ${content ?? ''}`]));
}

interface Remade {
  readonly file: string;
  readonly source: string;
}

/** An archive of ours as it is unpacked, and what it was made of, below a folder. */
async function unpackedIn(folder: string, container: Container, tree: Tree): Promise<void> {
  const from = await instance({ data: tree }, [directory('data')]);
  const { file } = await create(from, { container });
  unpack(container, file, join(folder, 'unpacked'));
  renameSync(join(from.root, 'data'), join(folder, 'source'));
}

/** That, packed again; `change` is done to what lies in between. */
async function remade(container: Container, repacker: Repacker, change?: (folder: string) => void): Promise<Remade> {
  const isLinked = repacker.losesLinks !== true;
  const name = `unpacked ${container}${isLinked ? ' with a link' : ''}`;
  const made = join(temporaryFolder(), 'made');
  await copyTemplate(name, made, (folder) => unpackedIn(folder, container, isLinked ? linked : plain));
  const scratch = temporaryFolder();
  change?.(join(made, 'unpacked'));
  await repacker.pack(join(made, 'unpacked'), join(scratch, 'remade'));
  const [packed] = readdirSync(scratch);
  if (packed === undefined) throw new Error(`${repacker.how} made nothing`);
  return { file: join(scratch, packed), source: join(made, 'source') };
}

describe.each(repackers)('an archive remade by $how', (repacker) => {
  it.skipIf(!has(repacker.tool)).each(['zip', 'tar.gz'] as const)(
    'is altered, and intact where that is allowed (%s)',
    async (container) => {
      const { file, source } = await remade(container, repacker);
      const strict = await verify(file);
      expect(strict.verdict).toBe('damaged');
      expect((await failure(restore(file, newTarget()))).id).toBe('archive-damaged');
      const lenient = await verify(file, { allowRepacked: true });
      expect([lenient.verdict, ids(lenient)]).toEqual(['intact', ['container-repacked']]);
      const target = newTarget();
      const { findings } = await restore(file, target, { allowRepacked: true });
      expect(findings.map(({ id }) => id)).toContain('container-repacked');
      expect(contents(join(target, 'data'))).toEqual(contents(source));
    },
  );
});

/** One of each sort: what the others hold does not differ more. */
const some = repackers.filter(({ how }) => ['zip -ry', 'yazl', 'tar czf .'].includes(how));

describe.each(some)('an archive remade and changed by $how', (repacker) => {
  it.skipIf(!has(repacker.tool))('is damaged, also where remade ones are allowed', async () => {
    const changes: Record<string, (folder: string) => void> = {
      'checksum-mismatch': (folder) => writeFileSync(join(folder, 'data/a'), 'STORED'),
      'entry-missing': (folder) => rmSync(join(folder, 'data/b')),
      'entry-unlisted': (folder) => writeFileSync(join(folder, 'data/more'), ''),
      'sums-mismatch': (folder) =>
        writeFileSync(join(folder, 'SHA256SUMS'), readFileSync(join(folder, 'SHA256SUMS')).toString().toUpperCase()),
      'sums-missing': (folder) => rmSync(join(folder, 'SHA256SUMS')),
      'manifest-missing': (folder) => rmSync(join(folder, 'manifest.json')),
    };
    for (const [id, change] of Object.entries(changes)) {
      const { file } = await remade('zip', repacker, change);
      const result = await verify(file, { allowRepacked: true });
      expect([result.verdict, ids(result)]).toEqual(['damaged', expect.arrayContaining([id])]);
      expect((await failure(restore(file, newTarget(), { allowRepacked: true }))).id).toBe('archive-damaged');
    }
  });
});

/** The contract with the CMS alone: what another tool that follows it may write. */
function reduceManifest(folder: string): void {
  const path = join(folder, 'manifest.json');
  const whole = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  const keys = ['version', 'generatedAt', 'includes', 'hash', 'encryption'];
  writeFileSync(path, JSON.stringify(Object.fromEntries(keys.map((key) => [key, whole[key]]))));
}

describe.each(some)('a five-key manifest packed by $how', (repacker) => {
  const options = { ...repacker, losesLinks: true } as const;

  it.skipIf(!has(repacker.tool))('proves its files where SHA256SUMS is there', async () => {
    const { file, source } = await remade('zip', options, reduceManifest);
    expect(await verify(file, { allowRepacked: true })).toMatchObject({ verdict: 'intact', findings: [] });
    const target = newTarget();
    await restore(file, target, { allowRepacked: true });
    expect(contents(join(target, 'data'))).toEqual(contents(source));
  });

  it.skipIf(!has(repacker.tool))(
    'is incomplete without SHA256SUMS, and restored only where that is allowed',
    async () => {
      const { file, source } = await remade('zip', options, (folder) => {
        reduceManifest(folder);
        rmSync(join(folder, 'SHA256SUMS'));
      });
      const result = await verify(file, { allowRepacked: true });
      expect([result.verdict, ids(result)]).toEqual(['incomplete', ['no-checksums']]);
      const target = newTarget();
      expect((await failure(restore(file, target, { allowRepacked: true }))).id).toBe('unverified-archive');
      const { findings } = await restore(file, target, { allowRepacked: true, allowUnverified: true, owner: 'self' });
      expect(findings.map(({ id }) => id)).toEqual(['no-checksums']);
      expect(contents(join(target, 'data'))).toEqual(contents(source));
    },
  );
});
