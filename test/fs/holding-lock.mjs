// Takes a lock in a process of its own, says so, and holds it until it is killed or its standard input ends.
// Arguments: the built lock module, the lock file, the holder's name.
const [module, file, holder] = process.argv.slice(2);
const { acquireLock } = await import(module);
const clock = { now: () => 1_761_825_600_000, monotonic: () => performance.now() };
const lock = await acquireLock(file, { holder, wait: 10_000, clock });
process.stdout.write('held\n');
process.stdin.on('end', () => lock.release()).resume();
