import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../test/helpers/resident-cli.mjs', import.meta.url));
let resident;

/**
 * Runs the command line to its end in a process that stays for the next run, one at a time: for what is looked at, not for what
 * is killed. Resolves to {code, stdout, stderr}.
 */
export async function residentBkp({ args, cwd, env }) {
  resident ??= await started();
  const mark = `\0${randomUUID()}\0`;
  const texts = ['stdout', 'stderr'].map((name) => textUpTo(resident[name], mark));
  const answered = once(resident, 'message');
  resident.send({ args, cwd, env, mark });
  const [[{ code }], stdout, stderr] = await Promise.all([answered, ...texts]);
  return { code, stdout, stderr };
}

/** It would keep this process alive. */
export function endResident() {
  resident?.disconnect();
  resident = undefined;
}

async function started() {
  const child = fork(script, { env: { PATH: process.env.PATH }, silent: true });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8');
  await once(child, 'message');
  child.once('exit', (code, signal) => {
    if (child === resident) throw new Error(`the process that stays ended with ${code ?? signal}`);
  });
  return child;
}

function textUpTo(stream, mark) {
  return new Promise((resolve) => {
    let text = '';
    const look = (more) => {
      text += more;
      if (!text.endsWith(mark)) return;
      stream.off('data', look);
      resolve(text.slice(0, -mark.length));
    };
    stream.on('data', look);
  });
}
