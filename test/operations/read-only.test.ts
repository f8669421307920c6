import { expect, it } from 'vitest';
import { refuseReadOnly, type ReadOnlySetting } from '../../src/operations/read-only.js';
import { load, writeSite } from '../config/sites.js';

const refusal = (setting: ReadOnlySetting): unknown => {
  try {
    refuseReadOnly('prune', setting);
    return undefined;
  } catch (error) {
    return error;
  }
};

it('refuses what changes the storage, and says what sets it', async () => {
  const site = await writeSite({ '.backuprc': 'readOnly: true' });
  expect(refusal(await load(site))).toMatchObject({
    id: 'read-only',
    exitCode: 15,
    message: `\`bkp prune\` changes what is in the storage, and readOnly in ${site}/.backuprc says that nothing is written there`,
    hint: expect.stringContaining('streamed') as unknown,
  });
  expect(refusal(await load(site, {}, { BKP_READ_ONLY: 'on' }))).toMatchObject({
    message: expect.stringContaining('BKP_READ_ONLY says') as unknown,
  });
});

it('lets everything pass where nothing sets it, or the variable turns it off', async () => {
  const [plain, configured] = [
    await writeSite({ 'var/system.brain': '' }),
    await writeSite({ '.backuprc': 'readOnly: true' }),
  ];
  expect(refusal(await load(plain))).toBeUndefined();
  expect(refusal(await load(configured, {}, { BKP_READ_ONLY: '0' }))).toBeUndefined();
});
