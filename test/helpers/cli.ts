import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { residentBkp, takesResident } from './resident.js';
import { temporaryFolder } from './surroundings.js';

const projectFile = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const bkpFile = projectFile('bin/bkp.js');

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  /** In place of the test's own environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Command words before `node bin/bkp.js` (`strace …`, `setpriv …`). */
  readonly under?: readonly string[];
}

/** Runs the built command line, without a terminal, in a process that stays, where that can do what is asked for. */
export function bkp(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { cwd = process.cwd(), env = process.env, under = [] } = options;
  return under.length === 0 && takesResident(args) ? residentBkp({ args, cwd, env }) : bkpProcess(args, options);
}

/** Runs it as its own process. */
export function bkpProcess(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return ended(startBkp(args, options));
}

export function startBkp(args: readonly string[], { cwd, env, under = [] }: RunOptions = {}): ChildProcess {
  const [command = process.execPath, ...rest] = [...under, process.execPath, bkpFile, ...args];
  return spawn(command, rest, { cwd, env: env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Waits for the end of a process and gives what it printed. */
export function ended(child: ChildProcess): Promise<Ran> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** The JSON lines of a run. */
export function jsonLines(ran: Ran): Record<string, unknown>[] {
  return ran.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** A copy of the fixture site that a test may do anything with. */
export function siteCopy(): string {
  const site = join(temporaryFolder(), 'site');
  copySite(site);
  return site;
}

export function copySite(to: string): void {
  cpSync(projectFile('fixtures/site'), to, {
    recursive: true,
    preserveTimestamps: true,
    verbatimSymlinks: true,
    filter: (path) => !path.endsWith('/var/backups'),
  });
}

/** Whether a program from one of Debian's packages is there. */
export function hasTool(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
}

/** Runs a tool to its end; throws with what it printed where it fails. */
export function tool(name: string, args: readonly string[], cwd?: string): string {
  const ran = spawnSync(name, args, { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (ran.status !== 0)
    throw new Error(`${name} ${args.join(' ')} ended with ${ran.status ?? 'a signal'}:\n${ran.stdout}${ran.stderr}`);
  return ran.stdout;
}
