import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, realpathSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { copySite } from '../helpers/cli.js';
import { residentBkp, takesResident } from '../helpers/resident.js';
import { copyTemplate } from '../helpers/template.js';

export const binary = fileURLToPath(new URL('../../bin/bkp.js', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Told the child when it runs. */
  readonly started?: (child: ChildProcess) => void;
}

/**
 * The built command line, without a terminal, in an environment that holds only a PATH. A child of its own, where more is
 * asked for than arguments, a folder and settings.
 */
export function bkp(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { env, started } = options;
  const isPlain = started === undefined && Object.keys(env ?? {}).every((name) => name.startsWith('BKP_'));
  if (isPlain && takesResident(args)) return residentRun(args, options);
  const child = spawn(process.execPath, [binary, ...args], {
    cwd: options.cwd ?? tmpdir(),
    env: { PATH: process.env['PATH'], ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  options.started?.(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...output }));
  });
}

async function residentRun(args: readonly string[], { cwd = tmpdir(), env }: RunOptions): Promise<Ran> {
  const ran = await residentBkp({ args, cwd, env: { PATH: process.env['PATH'], ...env } });
  return { code: ran.code, signal: ran.signal, stdout: ran.stdout, stderr: ran.stderr };
}

/** A private folder for the length of a test; a real path. */
export function folder(): string {
  const made = realpathSync(mkdtempSync(join(tmpdir(), 'bkp-cli-')));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** A copy of the small real instance. */
export function site(name = 'site'): string {
  const copy = join(folder(), name);
  copySite(copy);
  return copy;
}

/** What a terminal could act on; line ends are none of it. */
export const controlsIn = (text: string): readonly string[] =>
  (text.match(/\p{Cc}/gu) ?? []).filter((control) => control !== '\n');

export const storageOf = (root: string): string => join(root, 'var', 'backups');

/** What lies in a folder; of a storage, all but its history and what is remembered of the last archive, which every run leaves. */
export const namesIn = (dir: string): readonly string[] =>
  readdirSync(dir)
    .filter((name) => name !== 'catalog.db' && !/^\.entries-[0-9a-f]{16}$/.test(name))
    .sort();

export const archivesIn = (root: string): readonly string[] =>
  namesIn(storageOf(root)).filter((name) => /\.(?:zip|tar\.gz)$/.test(name));

export type Line = Readonly<Record<string, unknown>> & { readonly type: string };

/** Every line of standard output as JSON: fails where one is not. */
export function jsonLines({ stdout }: Ran): readonly Line[] {
  if (!stdout.endsWith('\n')) throw new Error(`no line end at the end of ${JSON.stringify(stdout)}`);
  return stdout
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

export const lastLine = (ran: Ran): Line => jsonLines(ran).at(-1) ?? { type: 'none' };

/** A copy of the instance with a backup of it that the command line made. */
export async function siteWithBackup(...args: readonly string[]): Promise<{
  readonly root: string;
  readonly id: string;
  readonly file: string;
}> {
  const { root, made } = await preparedSite(`backup ${JSON.stringify(args)}`, async (prepared) => {
    const { id, file } = lastLine(await bkp(['create', '--json', ...args], { cwd: prepared }));
    return { id: String(id), file: relative(prepared, String(file)) };
  });
  return { root, id: made.id, file: join(root, made.file) };
}

/** A copy of the instance after `prepare`, which is done once for all that give the same name. */
export async function preparedSite<T>(
  name: string,
  prepare: (root: string) => Promise<T>,
): Promise<{ readonly root: string; readonly made: T }> {
  const parent = folder();
  const made = await copyTemplate(`site ${name}`, join(parent, 'prepared'), async (content) => {
    // It is called by the name of its folder.
    const root = join(content, 'site');
    copySite(root);
    return prepare(root);
  });
  const root = join(parent, 'site');
  renameSync(join(parent, 'prepared', 'site'), root);
  rmdirSync(join(parent, 'prepared'));
  return { root, made };
}
