import { configure, Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from '@zip.js/zip.js';
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tool } from '../helpers/cli.js';
import { describeTree, directory, failure, instance, newTarget, restore, verify } from '../helpers/instance.js';
import { temporaryFolder } from '../helpers/surroundings.js';
import { bytes, linkTo, type Tree } from '../helpers/tree.js';
import { ids } from './altered-archives.js';
import { createEncrypted, testPassphrase, withPassphrase } from './encrypted.js';
import { has } from './foreign-archives.js';

const plain: Tree = {
  a: 'stored',
  b: 'deflated '.repeat(300),
  large: bytes(1_300_000),
  text: 'text that shrinks '.repeat(90_000),
  'sub dir': { 'ü 🦊.txt': 'x' },
  empty: {},
  nothing: '',
};
const linked: Tree = { ...plain, link: linkTo('sub dir') };

function contents(folder: string): Record<string, string> {
  const found = Object.entries(describeTree(folder));
  return Object.fromEntries(found.map(([path, { type, content }]) => [path, `${type} ${content ?? ''}`]));
}

interface Unpacker {
  readonly name: string;
  readonly tree: Tree;
  readonly args: (file: string, to: string) => readonly string[];
}

const unpackers: readonly Unpacker[] = [
  { name: '7z', tree: linked, args: (file, to) => ['x', `-p${testPassphrase}`, `-o${to}`, file] },
  // libarchive cannot read the target of an encrypted link, 7z's neither.
  { name: 'bsdtar', tree: plain, args: (file, to) => ['--passphrase', testPassphrase, '-xf', file, '-C', to] },
];

describe.each(unpackers)('$name', ({ name, tree, args }) => {
  it.skipIf(!has(name))('opens what is encrypted, and sha256sum proves it', async () => {
    const from = await instance({ data: tree }, [directory('data')]);
    const { file } = await createEncrypted(from);
    const to = join(temporaryFolder(), 'out');
    mkdirSync(to);
    tool(name, args(file, to));
    expect(contents(join(to, 'data'))).toEqual(contents(join(from.root, 'data')));
    const checked = tool('sha256sum', ['--check', '--strict', 'SHA256SUMS'], to);
    expect(checked.split('\n').filter((line) => line.endsWith(': OK'))).toHaveLength(6);
    expect(JSON.parse(readFileSync(join(to, 'manifest.json'), 'utf8'))).toMatchObject({
      encryption: { enabled: true, algorithm: 'AES-256-Zip', hint: 'in the safe' },
    });
  });
});

it.skipIf(!has('7z'))('is not opened by 7z with another passphrase, and tells it what it is', async () => {
  const { file } = await createEncrypted(await instance({ data: plain }, [directory('data')]));
  expect(() => tool('7z', ['t', '-pwrong', file])).toThrow('Wrong password');
  const listed = tool('7z', ['l', '-slt', '-pwrong', file]);
  expect(listed).toContain('AES-256');
  expect(listed).toContain('in the safe');
});

interface Repacker {
  readonly how: string;
  readonly tool: string;
  readonly tree?: Tree;
  readonly pack: (folder: string, file: string) => void | Promise<void>;
}

const seven = (strength: number): Repacker => ({
  how: `7z with AES-${strength}`,
  tool: '7z',
  tree: linked,
  pack: (folder, file) =>
    void tool('7z', ['a', '-tzip', '-snl', `-mem=AES${strength}`, `-p${testPassphrase}`, file, '.'], folder),
});

const repackers: readonly Repacker[] = [
  ...[256, 192, 128].map(seven),
  {
    // It writes links in clear, AE-2 for small files, and AE-1 for others.
    how: 'bsdtar',
    tool: 'bsdtar',
    tree: linked,
    pack: (folder, file) =>
      void tool(
        'bsdtar',
        ['-acf', file, '--options', 'zip:encryption=aes256', '--passphrase', testPassphrase, '.'],
        folder,
      ),
  },
  { how: 'zip.js', tool: 'true', pack: packWithZipJs },
];

async function packWithZipJs(folder: string, file: string): Promise<void> {
  configure({ useWebWorkers: false });
  const zip = new ZipWriter(new Uint8ArrayWriter(), { password: testPassphrase, encryptionStrength: 3 });
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    if (lstatSync(path).isDirectory()) await zip.add(`${name}/`, undefined, { directory: true });
    else await zip.add(name, new Uint8ArrayReader(readFileSync(path)));
  }
  writeFileSync(file, await zip.close());
}

describe.each(repackers)('what $how encrypted', ({ tool: needed, tree = plain, pack }) => {
  /** A backup of ours, unpacked and encrypted again. */
  async function remade(change?: (folder: string) => void): Promise<{ file: string; source: string }> {
    const from = await instance({ data: tree }, [directory('data')]);
    const made = await createEncrypted(from);
    const folder = temporaryFolder();
    await restore(made.file, join(folder, 'x'), withPassphrase());
    const unpacked = join(folder, 'unpacked');
    mkdirSync(unpacked);
    tool('7z', ['x', `-p${testPassphrase}`, `-o${unpacked}`, made.file]);
    change?.(unpacked);
    const file = join(folder, 'remade.zip');
    await pack(unpacked, file);
    return { file, source: join(from.root, 'data') };
  }

  it.skipIf(!has('7z') || !has(needed))('is altered, and intact where that is allowed', async () => {
    const { file, source } = await remade();
    expect((await verify(file, withPassphrase())).verdict).toBe('damaged');
    const options = { allowRepacked: true, ...withPassphrase() };
    const lenient = await verify(file, options);
    expect([lenient.verdict, ids(lenient)]).toEqual(['intact', ['container-repacked']]);
    expect((await failure(verify(file, { ...options, ...withPassphrase('wrong') }))).id).toBe('passphrase-wrong');
    const target = newTarget();
    await restore(file, target, options);
    expect(contents(join(target, 'data'))).toEqual(contents(source));
  });

  it.skipIf(!has('7z') || !has(needed))('is damaged where it was changed too', async () => {
    const { file } = await remade((folder) => {
      writeFileSync(join(folder, 'data/a'), 'STORED');
      rmSync(join(folder, 'data/b'));
    });
    const result = await verify(file, { allowRepacked: true, ...withPassphrase() });
    expect(ids(result)).toEqual(expect.arrayContaining(['checksum-mismatch', 'entry-missing']));
  });
});
