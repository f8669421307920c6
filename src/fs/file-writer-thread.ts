import { parentPort } from 'node:worker_threads';
import { writeBatch, type FileBatch } from './file-batch.js';

parentPort?.on('message', (batch: FileBatch) => {
  const written = writeBatch(batch);
  parentPort?.postMessage(written, [written.data.buffer]);
});
