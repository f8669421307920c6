import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse.js';
import { failureOf, load, writeSite } from './sites.js';

function faultsOf(hooks: unknown): Record<string, string> {
  const parsed = parseConfig({ hooks });
  return parsed.ok ? {} : Object.fromEntries(parsed.faults.map(({ at, says }) => [at, says]));
}

describe('hooks', () => {
  it('are none by default, with five minutes each', async () => {
    expect((await load(await writeSite({ '.backuprc': '{}' }))).hooks).toEqual({ timeout: 300_000 });
    expect((await load(await writeSite({ '.backuprc': 'hooks: {}' }))).hooks).toEqual({ timeout: 300_000 });
  });

  it('are words, or texts for the shell', async () => {
    const file = [
      'hooks:',
      '  beforeCreate: ./hold.sh',
      '  afterCreate: [./release.sh]',
      '  onFailure: ./alarm.sh',
      '  beforeRestore: [systemctl, stop, "my site", ""]',
      '  afterRestore: |',
      '    systemctl start site',
      '    logger "restored"',
      '  finally: ./tell.sh "$BKP_HOOK_STATUS"',
      '  timeout: 90s',
    ].join('\n');
    expect((await load(await writeSite({ '.backuprc': file }))).hooks).toEqual({
      beforeCreate: './hold.sh',
      afterCreate: ['./release.sh'],
      onFailure: './alarm.sh',
      beforeRestore: ['systemctl', 'stop', 'my site', ''],
      afterRestore: 'systemctl start site\nlogger "restored"\n',
      finally: './tell.sh "$BKP_HOOK_STATUS"',
      timeout: 90_000,
    });
  });

  it('report all faults at once, each with its place', () => {
    expect(
      faultsOf({
        beforeRestore: ['sleep', 5],
        afterRestore: [],
        finally: ' ',
        timeout: 0,
        afterRestor: 'x',
        beforeVerify: 'x',
      }),
    ).toEqual({
      'hooks.beforeRestore[1]': 'must be a word of the command (put it in quotes), not 5',
      'hooks.afterRestore': 'must be a list of words that begins with a program, not a list',
      'hooks.finally': 'must be a command, not an empty text',
      'hooks.timeout': 'must be longer than nothing, not 0',
      'hooks.afterRestor': 'is not a known key: did you mean "afterRestore"?',
      'hooks.beforeVerify': expect.stringMatching(/^is not a known key/) as string,
    });
  });

  it('refuse what is no command', () => {
    for (const finallyHook of [null, 5, true, {}]) {
      expect(faultsOf({ finally: finallyHook })['hooks.finally']).toMatch(/^must be a command \(a text/);
    }
    expect(faultsOf({ finally: [''] })['hooks.finally']).toMatch(/^must be a list of words that begins/);
    expect(faultsOf({ finally: 'a\0b' })['hooks.finally']).toMatch(/^must be a text without NUL/);
    expect(faultsOf({ finally: ['a', 'b\0'] })['hooks.finally[1]']).toMatch(/^must be a text without NUL/);
    expect(faultsOf({ timeout: '8d' })['hooks.timeout']).toMatch(/^must be at most seven days/);
    expect(faultsOf({ timeout: null })['hooks.timeout']).toMatch(/^must be a duration/);
  });

  it('refuse what is no map', () => {
    for (const hooks of [null, [], 'stop', 5]) expect(faultsOf(hooks)['hooks']).toMatch(/^must be a map of keys/);
    expect(Object.keys(faultsOf(JSON.parse('{"__proto__": {"finally": "x"}}')))).toEqual(['hooks.__proto__']);
  });

  it('of later versions are refused with the file that names them', async () => {
    const site = await writeSite({ '.backuprc': 'hooks: { afterVerify: ./tell.sh }' });
    expect((await failureOf(load(site))).message).toContain('.backuprc: hooks.afterVerify is not a known key');
  });
});
