// Reads a passphrase from a descriptor and tells what came of it: tests have descriptors of their own.
// node read-descriptor.mjs <fd>
import { fstatSync } from 'node:fs';
import { readPassphrase } from '../../dist/config/passphrase.js';

const fd = Number(process.argv[2]);
const source = { kind: 'descriptor', place: 'BKP_PASSPHRASE_FD', fd };
try {
  const { passphrase } = await readPassphrase(source, new globalThis.AbortController().signal, 500);
  console.log('read', JSON.stringify(passphrase.bytes.toString()), isOpen() ? 'open' : 'closed');
} catch (error) {
  console.log(error.id, error.message);
}

function isOpen() {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}
