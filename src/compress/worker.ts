import { parentPort } from 'node:worker_threads';
import { errorText, never } from '../base/errors.js';
import { deflateBatch, deflateBlock, gzipMember } from './deflate.js';
import { cipherBlock, gunzipMember, inflateBatch, inflateBlock } from './inflate.js';
import type { JobKind, JobMap, JobMessage, JobReply } from './jobs.js';

type AnyJob = { [K in JobKind]: JobMessage<K> }[JobKind];

function run(job: AnyJob): JobMap[JobKind]['out'] {
  switch (job.kind) {
    case 'deflate-batch':
      return deflateBatch(job.input);
    case 'deflate-block':
      return deflateBlock(job.input);
    case 'gzip-member':
      return gzipMember(job.input);
    case 'inflate-batch':
      return inflateBatch(job.input);
    case 'inflate-block':
      return inflateBlock(job.input);
    case 'cipher':
      return cipherBlock(job.input);
    case 'gunzip-member':
      return gunzipMember(job.input);
    default:
      return never(job);
  }
}

/** A result that lies in a much larger buffer is copied out, so that the buffer does not travel with it. */
function compact(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = data;
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
    const output = run(job);
    if ('keys' in output) keys = output.keys;
    const data = compact(output.data);
    transfer.push(data.buffer);
    reply = { id: job.id, output: { ...output, data } };
  } catch (error) {
    reply = { id: job.id, error: errorText(error) };
  }
  parentPort?.postMessage(reply, transfer);
  // What was posted is a copy.
  keys?.fill(0);
});
