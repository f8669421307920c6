import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inPlaceOwner } from '../../src/commands/restore-owner.js';
import { folder } from './cli.js';

function nameFiles() {
  const passwd = join(folder(), 'passwd');
  const group = join(folder(), 'group');
  writeFileSync(passwd, 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:34::/var/www:/bin/false\n+::::::\n');
  writeFileSync(group, 'root:x:0:\nwww-data:x:35:\n');
  return { passwd, group };
}

describe('--owner of a restore in place', () => {
  it('is that of what is replaced, unless something else is asked for', () => {
    expect(inPlaceOwner(undefined)).toEqual({ kind: 'target' });
    expect(inPlaceOwner('target')).toEqual({ kind: 'target' });
    expect(inPlaceOwner('archive')).toEqual({ kind: 'archive' });
  });

  it('takes names of this system and numbers, in any mixture', () => {
    const files = nameFiles();
    expect(inPlaceOwner('www-data:www-data', files)).toEqual({ kind: 'ids', uid: 33, gid: 35 });
    expect(inPlaceOwner('1000:www-data', files)).toEqual({ kind: 'ids', uid: 1000, gid: 35 });
    expect(inPlaceOwner('0:0', files)).toEqual({ kind: 'ids', uid: 0, gid: 0 });
  });

  it.each(['www-data', ':0', '0:', 'a:b:c', '', 'nobody-here:0', '0:nobody-here', '4294967295:0', '-1:0', '+:0'])(
    'refuses %j',
    (text) => {
      expect(() => inPlaceOwner(text, nameFiles())).toThrow(/--owner/);
    },
  );
});
