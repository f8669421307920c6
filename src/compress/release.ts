import { MessageChannel } from 'node:worker_threads';

/** Nobody listens: what is sent goes away on the spot. */
const nowhere = ((): MessageChannel['port1'] => {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  return port1;
})();

/**
 * Frees memory that is used no longer, at once and not when garbage is collected: until then tens of MiB of results would wait
 * in each thread, and each new one would be made of fresh pages, which costs more than to inflate into them. Nobody may look
 * into that memory any longer, nor into what else lies in its ArrayBuffer.
 */
export function release({ buffer }: Uint8Array): void {
  // Small buffers lie in a slab of Node's that others lie in too.
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength === Buffer.poolSize) return;
  nowhere.postMessage(undefined, [buffer]);
}
