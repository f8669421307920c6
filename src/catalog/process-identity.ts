import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemCode } from '../base/errors.js';

/** Which process did something, so that others can tell later whether it still runs. Texts are empty where unknown. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** Of the machine: another one after every start. */
  readonly boot: string;
  /** In which process numbers are counted: a container has its own. */
  readonly namespace: string;
  /** When the process began, in the kernel's words: numbers are used again. */
  readonly began: string;
}

export function ownIdentity(): ProcessIdentity {
  const { pid } = process;
  return { host: hostname(), pid, boot: bootId(), namespace: namespaceId(), began: beginningOf(pid) };
}

/** Whether a process still runs; undefined where that cannot be told from here. */
export function isRunning(identity: ProcessIdentity): boolean | undefined {
  const { host, pid, boot, namespace, began } = identity;
  if (host !== hostname()) return undefined;
  if (boot !== '' && bootId() !== '' && boot !== bootId()) return false;
  if (namespace !== namespaceId()) return undefined;
  if (!exists(pid)) return false;
  return began === '' || began === beginningOf(pid);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's is there too.
    return systemCode(error) === 'EPERM';
  }
}

const bootId = (): string => attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
const namespaceId = (): string => attempt(() => readlinkSync('/proc/self/ns/pid'));

/** `starttime`, the 22nd field of proc_pid_stat(5); the second one is in brackets and may hold anything. */
function beginningOf(pid: number): string {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[22 - 3] ?? '';
}

function attempt(read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return '';
  }
}
