// Command lines one after the other in one process, with its own standard output: node typed-cli.mjs [["create", "-v"], …]
// Each is what a process of its own would have done. Threads and a process for databases stay from one to the next.
import { main } from '../../dist/cli.js';
import { CompressPool } from '../../dist/compress/pool.js';
import { sqliteChildOnDemand } from '../../dist/sqlite/child-on-demand.js';

for (const emitter of [process, process.stdout, process.stderr]) emitter.setMaxListeners(0);
const kept = { pool: new CompressPool(), sqlite: sqliteChildOnDemand() };
for (const args of JSON.parse(process.argv[2])) {
  await main(args, kept);
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) process.removeAllListeners(signal);
}
await Promise.all([kept.pool.close(), kept.sqlite.close()]);
process.exitCode = 0;
