import { accessSync, constants, statSync } from 'node:fs';
import { systemCode } from '../../base/errors.js';
import { reasonOf } from '../../fs/reason.js';
import { fail, ok, type Check, type Outcome, type Subject } from './check.js';

/** Whoever can read it can read every encrypted backup. */
export const passphraseFile: Check<Subject> = {
  id: 'passphrase-file',
  run: ({ passphraseFile: path }) => (path === undefined ? [] : [judge(path)]),
};

function judge(path: string): Outcome {
  try {
    const { mode, uid, size } = statSync(path);
    accessSync(path, constants.R_OK);
    if (size === 0) return fail(`${path} is empty`, 'Write the passphrase into it.', path);
    if ((mode & 0o077) !== 0) {
      const octal = (mode & 0o7777).toString(8).padStart(4, '0');
      return fail(`${path} is open to others (mode ${octal})`, `chmod 600 ${path}`, path);
    }
    if (uid !== 0 && uid !== process.geteuid?.()) {
      return fail(`${path} belongs to user ${uid}, neither to you nor to root`, 'chown it.', path);
    }
    return ok(`${path} is its owner's alone`, path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return fail(`${path} cannot be read: ${reasonOf(error)}`, 'Check its path and its owner.', path);
  }
}
