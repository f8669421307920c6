import './ignore-signals.js';
import { Worker } from 'node:worker_threads';
import { entryPoint } from '../base/entry-point.js';
import type { ExaminerReply, ExaminerRequest } from './examination.js';

// Can be killed whatever its thread is doing, by its parent or, where that is gone, by itself.

const thread = new Worker(entryPoint('sqlite/examiner-thread.js'), { execArgv: [] });

thread.on('message', (reply: ExaminerReply) => {
  process.send?.(reply, undefined, undefined, () => undefined);
});

thread.on('error', (error) => {
  throw error;
});

process.on('message', (request: ExaminerRequest) => thread.postMessage(request));

const die = (): boolean => process.kill(process.pid, 'SIGKILL');
process.on('disconnect', die);
// The parent may have gone while this was loading: that is told once, and was missed.
if (!process.connected) die();
