// Commits or recovers the swap journalled in a folder, and kills itself with SIGKILL just before the n-th change, counted
// from 0; with `failAt`, that change fails first. Arguments: the built modules' folder, the journal's folder, n, failAt.
const [modules, folder, n, failAt] = process.argv.slice(2);
const { readJournal } = await import(`${modules}/journal.js`);
const { commitSwap, recoverSwap } = await import(`${modules}/swap.js`);
const { systemSwapIo } = await import(`${modules}/swap-io.js`);
let changes = 0;
const io = { ...systemSwapIo };
for (const call of ['link', 'rename', 'unlink', 'makeFolder']) {
  io[call] = (...paths) => {
    const change = changes++;
    if (change === Number(n)) process.kill(process.pid, 'SIGKILL');
    if (change === Number(failAt)) throw Object.assign(new Error(`EIO: ${call}`), { code: 'EIO' });
    systemSwapIo[call](...paths);
  };
}
const journal = readJournal(folder);
if (journal.phase === 'staged') await commitSwap(journal, io).catch(() => {});
else await recoverSwap(folder, io);
