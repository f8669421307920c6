import { randomBytes } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bkpFile, hasTool, siteCopy, tool } from '../helpers/cli.js';

interface Terminal {
  /** What can be seen on it. */
  readonly screen: () => string;
  readonly press: (key: string) => void;
}

/** A terminal of its own, 80 columns wide. */
function openTerminal(command: string): Terminal {
  const socket = `bkp-test-${process.pid}-${randomBytes(3).toString('hex')}`;
  // The shell stays when the command has ended, so that its last words can be read.
  tool('tmux', ['-L', socket, '-f', '/dev/null', 'new-session', '-d', '-x', '80', '-y', '24', `${command}; sleep 60`]);
  onTestFinished(() => void tool('tmux', ['-L', socket, 'kill-server']));
  return {
    screen: () => tool('tmux', ['-L', socket, 'capture-pane', '-p']),
    press: (key) => void tool('tmux', ['-L', socket, 'send-keys', key]),
  };
}

async function until(screen: () => string, wanted: RegExp): Promise<string> {
  for (let tries = 0; tries < 600; tries += 1) {
    const seen = screen();
    if (wanted.test(seen)) return seen;
    await delay(50);
  }
  throw new Error(`never seen: ${String(wanted)}\n${screen()}`);
}

describe.skipIf(!hasTool('tmux'))('on a terminal', () => {
  it('create draws a bar while it works, and leaves the result alone on the screen', async () => {
    const site = siteCopy();
    // Shrinks a little, which takes its time.
    writeFileSync(join(site, 'var/uploads/large'), randomBytes(60_000_000).toString('base64'));
    const { screen } = openTerminal(`${process.execPath} ${bkpFile} -C ${site} create -l 9`);
    await until(screen, /Archiving +\[=+ *\] +\d+ % .*B\/s .* left/);
    const done = await until(screen, /is complete; every file was read back/);
    expect(done).not.toMatch(/Archiving|Reading back/);
  });

  it('Ctrl-C ends it, and leaves nothing behind', async () => {
    const site = siteCopy();
    writeFileSync(join(site, 'var/uploads/large'), randomBytes(80_000_000));
    const command = `${process.execPath} ${bkpFile} -C ${site} create -l 9; echo "exit $?"`;
    const { screen, press } = openTerminal(command);
    await until(screen, /Archiving/);
    press('C-c');
    expect(await until(screen, /exit \d+/)).toMatch(/error: interrupted \(SIGINT\)[\s\S]*exit 130/);
    expect(readdirSync(join(site, 'var/backups'))).toEqual(['.bkp.lock']);
  });
});
