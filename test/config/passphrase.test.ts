import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Passphrase } from '../../src/base/passphrase.js';
import { readPassphrase, type ReadPassphrase } from '../../src/config/passphrase.js';
import type { PassphraseSource } from '../../src/config/passphrase-source.js';
import { isRoot, temporaryFolder, unprivileged } from '../helpers/surroundings.js';
import { failureOf } from './sites.js';

const descriptorReader = fileURLToPath(new URL('../helpers/read-descriptor.mjs', import.meta.url));
const secret = 'pässwörd mit Leerzeichen ';
const unaborted = new AbortController().signal;

function read(source: PassphraseSource, signal = unaborted, timeout?: number): Promise<ReadPassphrase> {
  return readPassphrase(source, signal, timeout);
}

function fileWith(content: string | Buffer, mode = 0o600): PassphraseSource & { readonly kind: 'file' } {
  const path = join(temporaryFolder(), 'passphrase');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return { kind: 'file', place: '--passphrase-file', path };
}

const script = (code: string, cwd = '/'): PassphraseSource => ({
  kind: 'command',
  place: 'BKP_PASSPHRASE_COMMAND',
  words: ['/bin/sh', '-c', code],
  cwd,
});

const textOf = async (source: PassphraseSource): Promise<string> => (await read(source)).passphrase.bytes.toString();

describe('a passphrase in a file', () => {
  it.each([
    ['no line end', secret, secret],
    ['a line end', `${secret}\n`, secret],
    ['a line end of Windows', `${secret}\r\n`, secret],
    ['the longest text', `${'x'.repeat(1024)}\r\n`, 'x'.repeat(1024)],
  ])('is all of it: with %s', async (_, content, expected) => {
    expect(await textOf(fileWith(content))).toBe(expected);
  });

  it.each<[string, string | Buffer, RegExp]>([
    ['empty', '', /is empty/],
    ['nothing but a line end', '\n', /is empty/],
    ['two lines', 'one\ntwo\n', /control character/],
    ['two line ends', 'one\n\n', /control character/],
    ['a carriage return alone', 'one\r', /control character/],
    ['NUL', 'one\0two', /control character/],
    ['a tab', 'one\ttwo', /control character/],
    ['a C1 control', 'one\u0085two', /control character/],
    ['a byte order mark', '\ufeffone', /byte order mark/],
    ['other bytes than UTF-8', Buffer.from([0xe4, 0x62]), /not UTF-8/],
    ['too much', 'x'.repeat(1025), /longer than 1024 bytes/],
    ['far too much', 'x'.repeat(100_000), /more than 1026 bytes/],
  ])('cannot be %s', async (_, content, says) => {
    const error = await failureOf(read(fileWith(content)));
    expect(error).toMatchObject({ id: 'passphrase-missing', exitCode: 12 });
    expect(error.message).toMatch(says);
    expect(`${error.message} ${error.hint ?? ''}`).not.toMatch(/one|two|xxx/);
  });

  it('takes letters whose bytes look like controls', async () => {
    expect(await textOf(fileWith('àĂ\u00a0…'))).toBe('àĂ\u00a0…');
  });

  it('warns about a file that is open to others, and takes it', async () => {
    for (const mode of [0o640, 0o604, 0o620]) {
      const { passphrase, warning } = await read(fileWith(secret, mode));
      expect(passphrase.bytes.toString()).toBe(secret);
      expect(warning).toContain(`mode 0${mode.toString(8)}`);
    }
    expect((await read(fileWith(secret, 0o400))).warning).toBeUndefined();
  });

  it('may be reached by a link', async () => {
    const { path } = fileWith(secret);
    symlinkSync(path, `${path}.link`);
    expect(await textOf({ kind: 'file', place: '', path: `${path}.link` })).toBe(secret);
  });

  it('must be there, regular and readable: what is wrong is said with the path', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'folder'));
    spawnSync('mkfifo', [join(folder, 'fifo')]);
    const expectations = { none: /ENOENT: no such file/, folder: /not a regular file/, fifo: /not a regular file/ };
    for (const [name, says] of Object.entries(expectations)) {
      const path = join(folder, name);
      const error = await failureOf(read({ kind: 'file', place: '--passphrase-file', path }));
      expect(error).toMatchObject({ id: 'passphrase-missing', exitCode: 12, path });
      expect(error.message).toMatch(says);
      expect(error.hint).toContain('--passphrase-file');
    }
    const hidden = fileWith(secret, 0o000);
    if (!isRoot) expect((await failureOf(read(hidden))).message).toContain('EACCES');
    else await expect(unprivileged(() => read(hidden))).rejects.toThrow('EACCES');
  });
});

describe('a passphrase that a command prints', () => {
  it('is its output without the line end, run without a shell in the folder it is told', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'get.sh'), `#!/bin/sh\nprintf '%s\\n' "$1"\n`, { mode: 0o755 });
    const words = ['./get.sh', '$HOME; `id` *'];
    expect(await textOf({ kind: 'command', place: '', words, cwd: folder })).toBe('$HOME; `id` *');
  });

  it.each([
    ['fails', 'echo my secret; exit 3', 'ended with exit code 3'],
    ['is killed', 'echo my secret; kill -KILL $$', 'was ended by SIGKILL'],
    ['prints nothing', 'exit 0', 'is empty'],
    ['prints two lines', 'echo my; echo secret', 'control character'],
    ['prints too much', 'yes my secret', 'printed more than'],
  ])('is none where it %s; nothing that it printed is told', async (_, code, says) => {
    const error = await failureOf(read(script(`echo my secret >&2; ${code}`)));
    expect(error).toMatchObject({ id: 'passphrase-missing', exitCode: 12 });
    expect(error.message).toContain('"/bin/sh"');
    expect(error.message).toContain(says);
    expect(`${error.message} ${error.hint ?? ''}`).not.toMatch(/my|secret/);
  });

  it('is none where the command is not there', async () => {
    const error = await failureOf(read({ kind: 'command', place: '', words: ['no-such-program', 'arg'], cwd: '/' }));
    expect(error.message).toContain('"no-such-program" was not found');
    expect(error.message).not.toContain('arg');
  });

  it('is none where it hangs: it is ended with all that it started', async () => {
    const folder = temporaryFolder();
    const error = await failureOf(read(script('sleep 60 & echo $! > pid; wait', folder), unaborted, 300));
    expect(error.message).toContain('took longer than 0.3 s and was ended');
    const left = spawnSync('sh', ['-c', 'ps -o stat= -p "$(cat pid)"'], { cwd: folder, encoding: 'utf8' });
    expect(left.stdout).toMatch(/^(?:Z.*)?\s*$/);
  });

  it('ends with the reason of a signal', async () => {
    const controller = new AbortController();
    const reason = new Error('interrupted');
    setTimeout(() => controller.abort(reason), 100);
    await expect(read(script('sleep 60'), controller.signal)).rejects.toBe(reason);
  });
});

describe('a passphrase in a variable', () => {
  it('is looked at as any other, and never shown', async () => {
    const source = (text: string): PassphraseSource => ({
      kind: 'variable',
      place: 'BKP_PASSPHRASE',
      passphrase: new Passphrase(Buffer.from(text)),
    });
    expect(await textOf(source(secret))).toBe(secret);
    const error = await failureOf(read(source('my secret\n')));
    expect(error.message).toBe('the passphrase in BKP_PASSPHRASE has a line end or another control character in it');
  });
});

/** What came of reading a descriptor, which `shell` opens for the process READ. */
function readDescriptor(fd: number, shell: string): string {
  const command = `"${process.execPath}" "${descriptorReader}" ${fd}`;
  const ran = spawnSync('bash', ['-c', shell.replaceAll('READ', command)], { encoding: 'utf8' });
  return ran.stdout + ran.stderr;
}

describe('a passphrase that is handed over by a descriptor', () => {
  it.each([
    ['a pipe', 3, 'READ 3< <(printf "s3cret\\n")'],
    ['a pipe that is slow', 3, 'READ 3< <(printf s3; sleep 0.2; printf cret)'],
    ['a file', 4, 'READ 4<<<s3cret'],
    ['standard input', 0, 'echo s3cret | READ'],
  ])('comes through %s', (_, fd, shell) => {
    // That of standard input is never closed by Node.js; it is read to its end.
    expect(readDescriptor(fd, shell)).toBe(`read "s3cret" ${fd === 0 ? 'open' : 'closed'}\n`);
  });

  it.each([
    // What Node.js has there for itself is no pipe.
    ['is not open', 'READ 9<&-', /EBADF|neither a pipe, a socket nor a file/],
    ['is a device', 'READ 9</dev/null', /neither a pipe, a socket nor a file/],
    ['is never closed at its other end', 'READ 9< <(printf my; sleep 3)', /not closed within 0.5 s/],
    ['holds too much', 'READ 9< <(yes my | head -c 5000)', /more than 1026 bytes/],
    ['holds nothing', 'READ 9< <(true)', /is empty/],
  ])('is none where it %s', (_, shell, says) => {
    const told = readDescriptor(9, shell);
    expect(told).toMatch(/^passphrase-missing .*descriptor 9/);
    expect(told).toMatch(says);
    expect(told).not.toMatch(/my/);
  });
});
