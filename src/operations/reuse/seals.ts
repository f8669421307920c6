import { randomBytes } from 'node:crypto';
import type { Passphrase } from '../../base/passphrase.js';
import { clearSeal, passphraseSeal, sealSaltBytes, type PieceSeal } from '../../archive/known/piece-seal.js';

/** How the remembered entries of this backup, and of those before it, are sealed: encrypted where the archive is. */
export class Seals {
  readonly #passphrase: Passphrase | undefined;
  readonly #known = new Map<string, Promise<PieceSeal>>();
  #salt: Buffer | undefined;

  constructor(passphrase: Passphrase | undefined) {
    this.#passphrase = passphrase;
  }

  /** Of earlier ones; undefined where they are sealed in another way than ours. */
  async forEarlier(salt: Buffer | undefined): Promise<PieceSeal | undefined> {
    if (this.#passphrase === undefined) return salt === undefined ? clearSeal : undefined;
    if (salt?.length !== sealSaltBytes) return undefined;
    // One key is enough for all: it takes a while to derive, and pieces have nonces of their own.
    this.#salt ??= salt;
    return this.#sealOf(this.#passphrase, salt);
  }

  async forNew(): Promise<{ readonly seal: PieceSeal; readonly salt: Buffer | undefined }> {
    if (this.#passphrase === undefined) return { seal: clearSeal, salt: undefined };
    this.#salt ??= randomBytes(sealSaltBytes);
    return { seal: await this.#sealOf(this.#passphrase, this.#salt), salt: this.#salt };
  }

  async forget(): Promise<void> {
    for (const seal of this.#known.values()) (await seal).forget();
  }

  #sealOf(passphrase: Passphrase, salt: Buffer): Promise<PieceSeal> {
    const name = salt.toString('hex');
    const known = this.#known.get(name) ?? passphraseSeal(passphrase, salt);
    this.#known.set(name, known);
    return known;
  }
}
