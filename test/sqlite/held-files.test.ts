import { describe, expect, it } from 'vitest';
import { fileId, HeldFiles } from '../../src/sqlite/held-files.js';

describe('the list of files that are open in SQLite', () => {
  const id = fileId({ dev: 1n, ino: 2n });

  it('refuses to have one opened otherwise until its last connection is closed', () => {
    const held = new HeldFiles();
    held.hold(id);
    held.hold(id);
    held.release(id);
    expect(() => held.assertFree(id, '/x.db')).toThrow('/x.db');
    held.assertFree(fileId({ dev: 1n, ino: 3n }), '/y.db');
    held.release(id);
    held.assertFree(id, '/x.db');
    expect(() => held.release(id)).toThrow('not held');
  });
});
