import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Passphrase } from '../../src/base/passphrase.js';

const secret = 'correct horse';

describe('Passphrase', () => {
  it('shows a placeholder wherever it is shown', () => {
    const passphrase = new Passphrase(Buffer.from(secret));
    const error = new Error(`cannot open it with ${String(passphrase)}`, { cause: { passphrase } });
    const shown = [
      String(passphrase),
      JSON.stringify({ passphrase }),
      inspect({ deep: [passphrase] }, { depth: 9, showHidden: true }),
      inspect(error),
      Object.entries(passphrase).join(),
    ].join('\n');
    expect(shown).toContain('[passphrase]');
    expect(shown).not.toContain(secret);
    expect(shown).not.toContain(Buffer.from(secret).toString('hex'));
    expect(shown).not.toContain([...Buffer.from(secret).subarray(0, 4)].join(', '));
  });

  it('is wiped when it is forgotten, and gives nothing any longer', () => {
    const bytes = Buffer.from(secret);
    const passphrase = new Passphrase(bytes);
    expect(passphrase.bytes.toString()).toBe(secret);
    passphrase.forget();
    passphrase.forget();
    expect(bytes).toEqual(Buffer.alloc(secret.length));
    expect(() => passphrase.bytes).toThrow('forgotten');
  });
});
