// Runs a command as a whole process tree and tells what it took.
import { spawnSync } from 'node:child_process';

// Python's wait tells the peak memory of the largest process of the tree; Node cannot. It is on every machine that builds bkp.
const wrapper = `
import json, os, resource, subprocess, sys, time
began = time.monotonic()
code = subprocess.run(["/bin/sh", "-c", sys.argv[1]], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL).returncode
took = time.monotonic() - began
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"code": code, "seconds": took, "cpu": usage.ru_utime + usage.ru_stime, "peakKiB": usage.ru_maxrss}))
`;

/** Wall and CPU time in seconds, peak memory of the largest process in KiB. Throws where the command fails. */
export function measure(command, env = {}) {
  const run = spawnSync('python3', ['-c', wrapper, command], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
  const told = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '{}');
  if (told.code !== 0) throw new Error(`${command}\nended with ${told.code}\n${run.stderr.slice(-2000)}`);
  return told;
}

export const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** Whether a command is on this machine. */
export const isThere = (name) => spawnSync('/bin/sh', ['-c', `command -v ${name}`]).status === 0;
