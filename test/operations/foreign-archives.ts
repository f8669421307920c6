import { spawnSync } from 'node:child_process';
import { createWriteStream, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import type { Container } from '../../src/archive/archive.js';

/** Whether a program is here: not every machine that runs the tests has all of them. */
export const has = (tool: string): boolean => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;

/** Runs a tool in a folder; throws with what it said where it fails. */
export function run(folder: string, tool: string, ...args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(tool, args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${tool} ${args.join(' ')}: ${stdout}${stderr}`);
}

/** Unpacks an archive of ours as its user would without `bkp`. */
export function unpack(container: Container, file: string, folder: string): void {
  mkdirSync(folder);
  if (container === 'zip') run(folder, 'unzip', '-q', file);
  else run(folder, 'tar', '-xzpf', file);
}

export interface Repacker {
  readonly how: string;
  readonly tool: string;
  /** Follows symbolic links, or cannot store them. */
  readonly losesLinks?: true;
  readonly pack: (folder: string, file: string) => void | Promise<void>;
}

const makeArchive = 'import shutil, sys; shutil.make_archive(sys.argv[1][:-len(sys.argv[3])], sys.argv[2], ".")';

export const repackers: readonly Repacker[] = [
  { how: 'zip -ry', tool: 'zip', pack: (folder, file) => run(folder, 'zip', '-qry', `${file}.zip`, '.') },
  {
    how: 'zip -9 -ry with names',
    tool: 'zip',
    pack: (folder, file) => run(folder, 'zip', '-9qry', `${file}.zip`, ...readdirSync(folder)),
  },
  {
    how: '7z a',
    tool: '7z',
    losesLinks: true,
    pack: (folder, file) => run(folder, '7z', 'a', '-bd', `${file}.zip`, '.'),
  },
  { how: '7z a -snl', tool: '7z', pack: (folder, file) => run(folder, '7z', 'a', '-bd', '-snl', `${file}.zip`, '.') },
  { how: 'yazl', tool: 'true', losesLinks: true, pack: (folder, file) => packWithYazl(folder, `${file}.zip`) },
  {
    how: "python's zipfile",
    tool: 'python3',
    losesLinks: true,
    pack: (folder, file) => run(folder, 'python3', '-c', makeArchive, `${file}.zip`, 'zip', '.zip'),
  },
  { how: 'bsdtar as zip', tool: 'bsdtar', pack: (folder, file) => run(folder, 'bsdtar', '-acf', `${file}.zip`, '.') },
  { how: 'tar czf .', tool: 'tar', pack: (folder, file) => run(folder, 'tar', '-czf', `${file}.tgz`, '.') },
  {
    how: 'tar czf with names, old format',
    tool: 'tar',
    pack: (folder, file) => run(folder, 'tar', '--format=gnu', '-czf', `${file}.tgz`, ...readdirSync(folder)),
  },
  { how: 'bsdtar as tgz', tool: 'bsdtar', pack: (folder, file) => run(folder, 'bsdtar', '-czf', `${file}.tgz`, '.') },
  {
    how: "python's tarfile",
    tool: 'python3',
    pack: (folder, file) => run(folder, 'python3', '-c', makeArchive, `${file}.tar.gz`, 'gztar', '.tar.gz'),
  },
];

async function packWithYazl(folder: string, file: string): Promise<void> {
  const zip = new ZipFile();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    if (lstatSync(path).isDirectory()) zip.addEmptyDirectory(name);
    else zip.addFile(path, name);
  }
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(file));
}
