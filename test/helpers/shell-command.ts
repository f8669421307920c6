import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { bkpFile } from './cli.js';
import { residentBkp, type ResidentRan } from './resident.js';
import { temporaryFolder } from './surroundings.js';

/**
 * Writes a program that lines of a shell call in place of `bkp`. It hands what it was called with (arguments, folder,
 * environment) to the process that stays, prints what that printed and ends as that ended; for the length of a test.
 * `run` does it. File descriptors are not handed over: what is streamed, or reads a passphrase from one, is a process of its own.
 */
export async function writeShellCommand(file: string, run = residentBkp): Promise<void> {
  const itself = `exec "${process.execPath}" "${bkpFile}" "$@"`;
  if (process.env['BKP_TEST_PROCESSES'] === '1') {
    writeFileSync(file, `#!/bin/sh\n${itself}\n`, { mode: 0o755 });
    return;
  }
  const script = `#!/bin/bash
for word; do case $word in - | -o-) ${itself} ;; esac; done
[ -z "$BKP_PASSPHRASE_FD" ] || ${itself}
mapfile -d '' -t settings < /proc/self/environ
exec 3<> /dev/tcp/127.0.0.1/${await port(run)}
printf '%s\\0' $# \${#settings[@]} "$PWD" "$@" "\${settings[@]}" >&3
read -r code place <&3
/bin/cat "$place.out"
/bin/cat "$place.err" >&2
exit "$code"
`;
  writeFileSync(file, script, { mode: 0o755 });
}

async function port(run: typeof residentBkp): Promise<number> {
  const folder = temporaryFolder();
  let number = 0;
  /** One at a time, in the order in which they are called. */
  let before: Promise<unknown> = Promise.resolve();
  const server = createServer((socket) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      const call = parseCall(text);
      if (call !== undefined)
        before = before.then(async () => answer(socket, await run(call), join(folder, String(number++))));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

type Call = Parameters<typeof residentBkp>[0];

/** Undefined until all of it is there: two counts, the folder, arguments and settings, each ended by a zero byte. */
function parseCall(text: string): Call | undefined {
  const [words = '', settings = '', cwd = '', ...rest] = text.split('\0');
  if (rest.length !== Number(words) + Number(settings) + 1) return undefined;
  const pairs = rest.slice(Number(words), -1).map((setting) => {
    const at = setting.indexOf('=');
    return [setting.slice(0, at), setting.slice(at + 1)] as const;
  });
  return { args: rest.slice(0, Number(words)), cwd, env: Object.fromEntries(pairs) };
}

function answer(socket: Socket, { code, stdout, stderr }: ResidentRan, place: string): void {
  writeFileSync(`${place}.out`, stdout);
  writeFileSync(`${place}.err`, stderr);
  socket.end(`${code ?? 255} ${place}\n`);
}
