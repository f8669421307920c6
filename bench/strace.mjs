import { readFileSync } from 'node:fs';

/** Kinds of system calls. A question mark: not on every architecture. */
export const kinds = {
  move: ['?rename', 'renameat', 'renameat2', '?link', 'linkat'],
  remove: ['?unlink', 'unlinkat', '?rmdir'],
  make: ['?mkdir', 'mkdirat', '?symlink', 'symlinkat'],
  sync: ['fsync', 'fdatasync'],
  write: ['write', 'pwrite64', 'writev'],
  truncate: ['ftruncate'],
  metadata: ['fchmod', '?chmod', 'fchmodat', 'utimensat', 'fchown', '?lchown', 'fchownat'],
  open: ['?open', 'openat'],
  list: ['getdents64'],
  read: ['read', 'pread64', '?readlink', 'readlinkat'],
  look: ['?stat', '?lstat', 'fstat', 'newfstatat', 'statx', 'statfs', '?access', 'faccessat'],
};

/**
 * The words before a command that trace its calls of a kind, or of several, into a file. `inject`: what becomes of them, as
 * strace takes it; `path`: only of calls on this path.
 */
export function traced(log, kind, { path, inject } = {}) {
  const set = [kind]
    .flat()
    .flatMap((one) => kinds[one])
    .join(',');
  // With it no signal arrives (measured).
  const quick = inject?.startsWith('signal=') === true ? [] : ['--seccomp-bpf'];
  return [
    ...['strace', '-f', ...quick, '-qq', '-y', '-s', '300', '-o', log],
    ...['-e', `trace=${set}`, '-e', 'signal=none'],
    ...(inject === undefined ? [] : ['-e', `inject=${set}:${inject}`]),
    ...(path === undefined ? [] : ['-P', path]),
  ];
}

/** The calls of each thread, in order: all that were traced, or those of one kind. */
export function callsByThread(log, kind) {
  const names = kind === undefined ? undefined : new Set(kinds[kind].map((name) => name.replace('?', '')));
  const threads = new Map();
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const [, thread, call] = /^(\d+) +(\w+\(.*)$/.exec(line) ?? [];
    if (call === undefined || names?.has(call.slice(0, call.indexOf('('))) === false) continue;
    if (!threads.has(thread)) threads.set(thread, []);
    threads.get(thread).push(call);
  }
  return [...threads.values()];
}

export const pathsOf = (call) =>
  [...call.matchAll(/["<]([^"<>]*)[">]/g)].map(([, path]) => path).filter((path) => path.startsWith('/'));

/** Whether a call is on something below the folder, and not on modules, pipes and /proc. */
export const isOn = (folder, call) => call.includes(folder) || call.includes('"/proc/self/fd/');

/** Named anew in each run: the safety backup by its time, files written aside by chance, and what is opened through /proc. */
const isNamedAnew = (path) => /\d{8}T\d{6}Z-safety|\.[0-9a-f]{8}\.partial$|^\/proc\//.test(path);

/** Each call of a kind below the folder: the n-th on its path where that is the same in each run, else the n-th of its thread. */
export function targetsIn(log, folder, kind) {
  const targets = new Map();
  for (const calls of callsByThread(log, kind)) {
    calls.forEach((call, at) => {
      if (!isOn(folder, call)) return;
      const path = pathsOf(call).find((one) => one.startsWith(folder) && !isNamedAnew(one));
      const same = (other) => pathsOf(other).includes(path);
      const n = path === undefined ? at + 1 : calls.slice(0, at + 1).filter(same).length;
      targets.set(`${path} ${n}`, { path, n });
    });
  }
  return [...targets.values()];
}
