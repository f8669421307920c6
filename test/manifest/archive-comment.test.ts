import { describe, expect, it } from 'vitest';
import { archiveComment } from '../../src/manifest/archive-comment.js';

const manifest = {
  id: '20251030T120000Z-daily',
  instance: 'site',
  generatedAt: '2025-10-30T12:00:00Z',
  schedule: 'daily',
  includes: ['uploads'],
  complete: true,
  encryption: { enabled: false },
};

describe('archiveComment', () => {
  it('is one line of JSON that says what it is and how it is opened', () => {
    const comment = archiveComment(manifest);
    expect(comment).not.toContain('\n');
    expect(JSON.parse(comment)).toEqual({
      id: manifest.id,
      instance: 'site',
      generatedAt: manifest.generatedAt,
      schedule: 'daily',
      includes: ['uploads'],
      complete: true,
      encrypted: false,
      open: expect.stringContaining('unzip') as string,
    });
  });

  it('cannot hold the end of a zip, whatever names are in it', () => {
    const comment = archiveComment({ ...manifest, instance: 'PK\u0005\u0006', includes: ['PK\u0005\u0006\n'] });
    expect(Buffer.from(comment).includes('PK\x05\x06')).toBe(false);
    expect(comment).not.toContain('\n');
  });

  it('fits into a zip, whatever is in it', () => {
    for (const name of ['x', '💾', '\u0001']) {
      for (const long of [
        { instance: name.repeat(70_000) },
        { includes: Array<string>(10_000).fill(name.repeat(10)) },
      ]) {
        const comment = archiveComment({ ...manifest, ...long });
        expect(Buffer.byteLength(comment)).toBeLessThanOrEqual(65_535);
        expect(JSON.parse(comment)).toMatchObject({ id: manifest.id, complete: true });
      }
    }
  });
});
