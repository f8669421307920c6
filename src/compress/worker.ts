import { parentPort } from 'node:worker_threads';
import { errorText } from '../base/errors.js';
import type { JobKind, JobMessage, JobReply } from './jobs.js';
import { runJob } from './run-job.js';

type AnyJob = { [K in JobKind]: JobMessage<K> }[JobKind];

/** A result that lies in a much larger buffer is copied out, so that the buffer does not travel with it; unless it came with the job. */
function compact(data: Uint8Array, given: ArrayBufferLike): Uint8Array<ArrayBuffer> {
  const { buffer } = data;
  if (buffer === given && buffer instanceof ArrayBuffer) {
    return new Uint8Array(buffer, data.byteOffset, data.byteLength);
  }
  if (buffer instanceof ArrayBuffer && buffer.byteLength <= 2 * data.byteLength && buffer.byteLength > 64 * 1024) {
    return new Uint8Array(buffer, data.byteOffset, data.byteLength);
  }
  return Uint8Array.from(data);
}

parentPort?.on('message', (job: AnyJob) => {
  let reply: JobReply;
  const transfer: ArrayBuffer[] = [];
  let keys: Uint8Array | undefined;
  try {
    const output = runJob(job.kind, job.input);
    if ('keys' in output) keys = output.keys;
    const { buffer } = job.input.data;
    const data = compact(output.data, buffer);
    transfer.push(data.buffer);
    const spent = buffer instanceof ArrayBuffer && buffer !== data.buffer ? buffer : undefined;
    if (spent !== undefined) transfer.push(spent);
    reply = { id: job.id, output: { ...output, data }, spent };
  } catch (error) {
    reply = { id: job.id, error: errorText(error) };
  }
  parentPort?.postMessage(reply, transfer);
  // What was posted is a copy.
  keys?.fill(0);
});
