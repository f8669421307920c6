import { BkpError } from '../base/errors.js';

export interface SystemdUnit {
  /** The file's name. */
  readonly name: string;
  readonly text: string;
}

export interface SystemdUnits {
  readonly service: SystemdUnit;
  readonly timer: SystemdUnit;
}

/** The first line of what we write: a unit without it is somebody else's. */
export const unitMark = '# Written by `bkp schedule install --systemd`, removed by `bkp schedule uninstall`.';

/**
 * A service that makes one call of bkp, and a timer that starts it every ten minutes, also for a time that was missed. `key`: of
 * the instance, `words`: an absolute program and its arguments. Throws `unit-inexpressible` where a word cannot be
 * written in a unit.
 */
export function systemdUnits(key: string, words: readonly string[]): SystemdUnits {
  const service = [
    unitMark,
    '[Unit]',
    `Description=Scheduled backups of ${key}`,
    '',
    '[Service]',
    'Type=oneshot',
    `ExecStart=${words.map(unitWord).join(' ')}`,
  ];
  const timer = [
    unitMark,
    '[Unit]',
    `Description=Scheduled backups of ${key}, every ten minutes`,
    '',
    '[Timer]',
    'OnCalendar=*:0/10',
    'Persistent=true',
    '',
    '[Install]',
    'WantedBy=timers.target',
  ];
  return {
    service: { name: `bkp-${key}.service`, text: `${service.join('\n')}\n` },
    timer: { name: `bkp-${key}.timer`, text: `${timer.join('\n')}\n` },
  };
}

/**
 * A word of `ExecStart=` (systemd.service(5), "Command lines"; systemd.syntax(7), "Quoting"). Of the program's own name quotes and
 * backslashes are refused by systemd, and variables are not put in there: a `$` stays single.
 */
function unitWord(word: string, index: number): string {
  const isProgram = index === 0;
  if (/\p{Cc}/u.test(word) || (isProgram && /["'\\]/.test(word))) {
    throw new BkpError('unit-inexpressible', `a systemd unit cannot hold this word: ${JSON.stringify(word)}`, {
      hint: 'Give what has that path another name.',
    });
  }
  const escaped = word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%');
  return `"${isProgram ? escaped : escaped.replaceAll('$', '$$$$')}"`;
}
