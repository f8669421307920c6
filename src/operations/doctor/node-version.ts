import { fail, ok, type Check, type Outcome } from './check.js';

/** As `engines` in package.json. */
const oldest = [20, 19] as const;

export const nodeVersion: Check<unknown> = {
  id: 'node-version',
  run: () => [judgeNode(process.versions.node)],
};

export function judgeNode(version: string): Outcome {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return ok(`Node.js ${version}`);
  return fail(`Node.js ${version} is too old`, `Install ${oldest.join('.')} or later.`);
}
