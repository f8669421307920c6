import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { load, writeSite } from './sites.js';

const { cache } = createRequire(import.meta.url);
const isLoaded = (): boolean => Object.keys(cache).some((path) => path.includes('/cosmiconfig/'));

it('loads cosmiconfig only where a file was found', async () => {
  const bare = await writeSite({ 'var/system.brain': '' });
  await load(bare);
  expect(isLoaded()).toBe(false);
  const configured = await writeSite({ '.backuprc': 'level: 3' });
  await load(configured);
  expect(isLoaded()).toBe(true);
});
