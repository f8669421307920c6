// Preloaded into a process under test (NODE_OPTIONS=--import=…): as it ends, adds a line with its peak memory in KiB and
// the CPU time it took in ms to the file that BKP_TEST_USAGE names.
import { appendFileSync, readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env.BKP_TEST_USAGE;

if (isMainThread && file !== undefined) {
  process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    appendFileSync(file, `${peak()} ${Math.round((user + system) / 1000)}\n`);
  });
}

/** Not `maxRSS` where it can be had: that one begins with what the parent process held. */
function peak() {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  } catch {
    return process.resourceUsage().maxRSS;
  }
}
