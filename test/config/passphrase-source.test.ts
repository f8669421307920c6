import { describe, expect, it } from 'vitest';
import { configuredPassphrase, outsidePassphrase } from '../../src/config/passphrase-source.js';
import { failureOf, load, writeSite } from './sites.js';

const secret = 'correct horse battery';
const sourceOf = (flags: object, env: Readonly<Record<string, string>> = {}): unknown =>
  outsidePassphrase(flags, env, '/work').source;
const faultsOf = (flags: object, env: Readonly<Record<string, string>> = {}): readonly string[] =>
  outsidePassphrase(flags, env, '/work').faults.map(({ at, says }) => `${at} ${says}`);

describe('where the passphrase is', () => {
  it('is said by a flag, a variable or the configuration', () => {
    expect(sourceOf({ passphraseFile: 'p' })).toEqual({ kind: 'file', place: '--passphrase-file', path: '/work/p' });
    expect(sourceOf({ passphraseCommand: '["pass","show","bkp"]' })).toMatchObject({
      kind: 'command',
      words: ['pass', 'show', 'bkp'],
      cwd: '/work',
    });
    expect(sourceOf({ passphraseCommand: './get.sh' })).toMatchObject({ words: ['./get.sh'] });
    expect(sourceOf({}, { BKP_PASSPHRASE_FILE: '/run/p' })).toMatchObject({ kind: 'file', path: '/run/p' });
    expect(sourceOf({}, { BKP_PASSPHRASE_COMMAND: '["a b"]' })).toMatchObject({ kind: 'command', words: ['a b'] });
    expect(sourceOf({}, { BKP_PASSPHRASE_FD: '3' })).toMatchObject({ kind: 'descriptor', fd: 3 });
    expect(sourceOf({}, { BKP_PASSPHRASE: secret })).toMatchObject({ kind: 'variable', place: 'BKP_PASSPHRASE' });
    expect(configuredPassphrase({ passphraseFile: 'keys/p' }, '/etc/site/.backuprc')).toMatchObject({
      kind: 'file',
      path: '/etc/site/keys/p',
    });
    expect(configuredPassphrase({ passphraseCommand: ['./get'] }, '/etc/site/.backuprc')).toMatchObject({
      kind: 'command',
      cwd: '/etc/site',
    });
    expect(configuredPassphrase({ enabled: true }, '/etc/site/.backuprc')).toBeUndefined();
  });

  it('is said by the highest level alone', async () => {
    const site = await writeSite({ '.backuprc': 'encryption: { passphraseFile: p }', 'var/system.brain': '' });
    const env = { BKP_PASSPHRASE_FD: '7' };
    expect((await load(site)).passphrase).toMatchObject({ path: `${site}/p` });
    expect((await load(site, {}, env)).passphrase).toMatchObject({ kind: 'descriptor' });
    expect((await load(site, { passphraseCommand: 'get' }, env)).passphrase).toMatchObject({ kind: 'command' });
  });

  it('counts an empty variable as not set', () => {
    expect(sourceOf({}, { BKP_PASSPHRASE: '', BKP_PASSPHRASE_FD: '3' })).toMatchObject({ kind: 'descriptor' });
  });

  it('is a fault where two at one level say it, also where a higher one counts', async () => {
    expect(faultsOf({ passphraseFile: 'a', passphraseCommand: 'b' })).toEqual([
      '--passphrase-command cannot be given beside --passphrase-file: the passphrase comes from one place',
    ]);
    expect(faultsOf({ passphraseFile: 'a' }, { BKP_PASSPHRASE: secret, BKP_PASSPHRASE_FD: '3' })).toEqual([
      'BKP_PASSPHRASE cannot be given beside BKP_PASSPHRASE_FD: the passphrase comes from one place',
    ]);
    const text = 'encryption: { passphraseFile: a, passphraseCommand: [b] }';
    const error = await failureOf(load(await writeSite({ '.backuprc': text })));
    expect(error).toMatchObject({ id: 'config-invalid', exitCode: 2 });
    expect(error.message).toContain('encryption.passphraseCommand cannot be given beside passphraseFile');
  });

  it.each(['pass show bkp', '[]', '["a", 1]', '[""]', '["a"', '["a\\u0000"]', ' ', secret])(
    'is not the command %j, which no message shows',
    (raw) => {
      for (const faults of [faultsOf({ passphraseCommand: raw }), faultsOf({}, { BKP_PASSPHRASE_COMMAND: raw })]) {
        expect(faults).toHaveLength(1);
        expect(faults[0]).toMatch(/must be a program without arguments, or a JSON list/);
        expect(faults[0]).not.toContain(secret);
      }
    },
  );

  it.each(['1', '2', '-3', '3.5', '0x3', '03', '1234567', secret])('is not the descriptor %j', (raw) => {
    const [fault, ...more] = faultsOf({}, { BKP_PASSPHRASE_FD: raw });
    expect(more).toEqual([]);
    expect(fault).toMatch(/^BKP_PASSPHRASE_FD must be the number of a file descriptor/);
    expect(fault).not.toContain(secret);
  });
});

describe('encryption in the configuration', () => {
  const faultOf = async (text: string): Promise<string> =>
    (await failureOf(load(await writeSite({ '.backuprc': text })))).message;

  it('is off where nothing turns it on, and keeps its hint', async () => {
    const off = await load(await writeSite({ 'var/system.brain': '' }));
    expect(off.encryption).toEqual({ enabled: false, hint: undefined });
    const on = await load(await writeSite({ '.backuprc': 'encryption: { enabled: true, hint: in the safe }' }));
    expect(on.encryption).toEqual({ enabled: true, hint: 'in the safe' });
    expect(on.passphrase).toBeUndefined();
  });

  it('never shows what was written in the place of a passphrase', async () => {
    for (const text of [
      `encryption: ${secret}`,
      `encryption: { passphraseCommand: "${secret}" }`,
      `encryption: { passphrase: "${secret}" }`,
    ]) {
      const fault = await faultOf(text);
      expect(fault).toContain('encryption');
      expect(fault).not.toContain(secret);
    }
    expect(await faultOf(`encryption: { passphrase: x }`)).toContain('encryption.passphrase is not a known key');
  });

  it('is a fault with tar.gz, which cannot be encrypted', async () => {
    const fault = await faultOf('format: tar.gz\nencryption: { enabled: true }');
    expect(fault).toContain('encryption.enabled cannot be true with format tar.gz');
    const off = await load(await writeSite({ '.backuprc': 'format: tar.gz\nencryption: { enabled: false }' }));
    expect(off.format).toBe('tar.gz');
  });

  it.each(['enabled: maybe', 'hint: "two\\nlines"', 'passphraseCommand: []', 'passphraseFile: ~/p', 'fish: 1'])(
    'is a fault with %s',
    async (entry) => {
      expect(await faultOf(`encryption: { ${entry} }`)).toMatch(/\.backuprc: encryption\.\w+ (?:must be|is not)/);
    },
  );
});
