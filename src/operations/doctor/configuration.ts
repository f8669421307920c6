import { lstatSync } from 'node:fs';
import { ok, type Check, type Subject } from './check.js';

/** That it could be read, and that nobody else could have written it, was found out when it was read. */
export const configuration: Check<Subject> = {
  id: 'configuration',
  run: ({ configFile }) => {
    if (configFile === undefined) return [ok('there is no file: the layout of the CMS was found')];
    const mode = (lstatSync(configFile).mode & 0o7777).toString(8).padStart(4, '0');
    return [ok(`${configFile} is valid (mode ${mode})`, configFile)];
  },
};
