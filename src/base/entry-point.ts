import { fileURLToPath } from 'node:url';

/**
 * The built file of a worker thread or child process (`compress/worker.js`, below `dist`). Tests run the sources, which a
 * worker cannot load: they use the built file too, which `npm test` makes first.
 */
export function entryPoint(path: string): string {
  const built = import.meta.url.endsWith('.ts') ? '../../dist/' : '../';
  return fileURLToPath(new URL(`${built}${path}`, import.meta.url));
}
