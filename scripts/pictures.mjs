// Draws what a real terminal shows, as SVG files in docs/pictures: node scripts/pictures.mjs [name…]
//
// Each scene is run in tmux on a copy of fixtures/site; what is on the screen at its end becomes text in an SVG. Needs tmux.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { scenes } from './scenes.mjs';
import { svgOf } from './terminal-svg.mjs';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const columns = 80;

/** Runs the lines one after the other, as if they were typed, and gives the screen with its colours. */
async function play({ lines, rows, until }, folder) {
  const socket = `bkp-pictures-${process.pid}`;
  const tmux = (...args) => execFileSync('tmux', ['-L', socket, '-f', '/dev/null', ...args], { encoding: 'utf8' });
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'bkp'), `#!/bin/sh\nexec ${process.execPath} ${at('bin/bkp.js')} "$@"\n`, { mode: 0o755 });
  const rc = join(folder, 'rc');
  writeFileSync(rc, `PS1='$ '\nPATH=/srv/bin:$PATH\nexport NODE_NO_WARNINGS=1\n`);
  // In a mount namespace of its own, so that paths are short and the same everywhere.
  const enter = `mount --bind ${folder} /srv && cd /srv/cms && exec bash --noprofile --rcfile /srv/rc`;
  const shell = `unshare --map-root-user --mount sh -c '${enter}'`;
  tmux('new-session', '-d', '-x', String(columns), '-y', String(rows), shell);
  try {
    const screen = () => tmux('capture-pane', '-p');
    const quiet = async (wanted) => {
      for (let tries = 0; tries < 400; tries += 1) {
        await sleep(100);
        if (wanted.test(screen().trimEnd())) return;
      }
      throw new Error(`never seen: ${wanted}\n${screen()}`);
    };
    await quiet(/\$$/);
    for (const { type, hidden, then } of lines) {
      tmux('send-keys', '-l', type);
      tmux('send-keys', 'Enter');
      await sleep(300);
      await quiet(then ?? /(^|\n)\$$/);
      if (hidden) {
        tmux('send-keys', 'C-l');
        tmux('clear-history');
        await sleep(200);
      }
    }
    if (until) await quiet(until);
    return tmux('capture-pane', '-p', '-e').trimEnd();
  } finally {
    tmux('kill-server');
  }
}

const wanted = process.argv.slice(2);
mkdirSync(at('docs/pictures'), { recursive: true });
for (const [name, scene] of Object.entries(scenes)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const folder = mkdtempSync(join(tmpdir(), 'bkp-pictures-'));
  try {
    cpSync(at('fixtures/site'), join(folder, 'cms'), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !path.endsWith('backups'),
    });
    const screen = await play(scene, folder);
    writeFileSync(at(`docs/pictures/${name}.svg`), svgOf(screen, { columns, title: scene.title }));
    console.log(`docs/pictures/${name}.svg`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
