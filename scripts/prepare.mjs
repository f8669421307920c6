// Builds dist. Skipped where dist is there and the compiler is not (an install without development dependencies).
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const compiler = at('node_modules/typescript/bin/tsc');
if (existsSync(compiler)) {
  const { status } = spawnSync(process.execPath, [compiler, '-p', at('tsconfig.json')], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} else if (!existsSync(at('dist/cli.js'))) {
  console.error(
    'bkp: dist is missing and the TypeScript compiler is not installed; run `npm install` with development dependencies.',
  );
  process.exitCode = 1;
}
