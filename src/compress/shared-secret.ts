import type { Passphrase } from '../base/passphrase.js';

/** A passphrase where the worker threads see it, so that no message to them holds a copy; wiped by `forget`. */
export class SharedSecret {
  readonly bytes: Uint8Array;

  constructor({ bytes }: Passphrase) {
    this.bytes = new Uint8Array(new SharedArrayBuffer(bytes.length));
    this.bytes.set(bytes);
  }

  forget(): void {
    this.bytes.fill(0);
  }
}
