import { accessSync, constants } from 'node:fs';
import { systemCode } from '../../base/errors.js';
import { reasonOf } from '../../fs/reason.js';
import { fail, ok, type Check, type Subject } from './check.js';

export const root: Check<Subject> = {
  id: 'root',
  run: ({ root: path, instance }) => {
    try {
      accessSync(path, constants.R_OK | constants.X_OK);
      return [ok(`${instance} in ${path}`, path)];
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      return [fail(`${path} cannot be read: ${reasonOf(error)}`, 'Run bkp as a user who may read it.', path)];
    }
  },
};
