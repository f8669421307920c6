import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  encryptionSchema,
  hooksSchema,
  notifySchema,
  retentionSchema,
  settingsSchema,
  sourceSchema,
} from '../../src/config/schema.js';
import { load, sourceNamed, writeSite } from './sites.js';

const example = await readFile(new URL('../../.backuprc.example', import.meta.url), 'utf8');
const documentation = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

it('is a valid configuration for the CMS that says what the defaults say', async () => {
  const site = await writeSite({ '.backuprc': example, 'var/system.brain': '' });
  const config = await load(site);
  expect(config).toMatchObject({
    root: site,
    storage: join(site, 'var/backups'),
    format: 'zip',
    level: 3,
    maxPause: 4000,
  });
  expect(sourceNamed(config, 'config')).toMatchObject({
    enabled: false,
    patterns: ['.env', '.env.local', '.backuprc*'],
  });
});

it('has an example of another application that is valid once its comments are taken away', async () => {
  const commented = example.slice(example.indexOf('# sources:\n')).replace(/^# ?/gm, '');
  const site = await writeSite({ '.backuprc': commented });
  const config = await load(site);
  expect(config.sources.map(({ name, type, scope }) => [name, type, scope])).toEqual([
    ['data.db', 'sqlite', 'databases'],
    ['auxiliary.db', 'sqlite', 'databases'],
    ['pb_data', 'directory', 'uploads'],
    ['migrations', 'files', 'migrations'],
  ]);
});

it('shows every key, as the documentation does', () => {
  const nested = [encryptionSchema, hooksSchema, retentionSchema, notifySchema, sourceSchema].flatMap(({ entries }) =>
    Object.keys(entries),
  );
  for (const key of [
    ...Object.keys(settingsSchema.entries),
    'encryption',
    'hooks',
    'retention',
    'notify',
    'sources',
    ...nested,
  ]) {
    expect(example).toMatch(new RegExp(`^[ #]*${key}:`, 'm'));
    expect(documentation).toContain(`\`${key}\``);
  }
});
