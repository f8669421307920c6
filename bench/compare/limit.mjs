// The least that a backup of this data can take on this machine: max(reading, writing, deflate CPU ÷ cores), in seconds.
// Usage: node limit.mjs <folder> <scratch file>; prints one JSON line.
import { closeSync, fsyncSync, openSync, readFileSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { deflateBatch, deflateBlock } from '../../dist/compress/deflate.js';

const [folder, scratch] = process.argv.slice(2);
const block = 1024 * 1024;
// The level that is used where none is said.
const level = 3;

const filesIn = (path) =>
  statSync(path).isDirectory() ? readdirSync(path).flatMap((name) => filesIn(join(path, name))) : [path];

const timed = (work) => {
  const began = performance.now();
  work();
  return (performance.now() - began) / 1000;
};

const files = filesIn(folder);
const reading = timed(() => files.forEach((file) => readFileSync(file)));
let deflating = 0;
let packed = 0;
for (const file of files) {
  const content = readFileSync(file);
  const cpu = process.cpuUsage();
  if (content.length <= block) packed += deflateBatch({ data: content, lengths: [content.length], level }).data.length;
  else {
    for (let at = 0; at < content.length; at += block) {
      const data = content.subarray(at, at + block);
      packed += deflateBlock({ data, level, last: at + block >= content.length }).data.length;
    }
  }
  const { user, system } = process.cpuUsage(cpu);
  deflating += (user + system) / 1e6;
}
const writing = timed(() => {
  const file = openSync(scratch, 'w');
  const piece = Buffer.alloc(block, 'x');
  for (let written = 0; written < packed; written += block) writeSync(file, piece);
  fsyncSync(file);
  closeSync(file);
});
rmSync(scratch);
const cores = availableParallelism();
const limit = Math.max(reading, writing, deflating / cores);
console.log(JSON.stringify({ reading, writing, deflating, cores, limit }));
