import { describe, expect, it } from 'vitest';
import { archiveComment, commentFault, parseArchiveComment } from '../../src/manifest/archive-comment.js';

const manifest = {
  id: '20251030T120000Z-daily',
  instance: 'site',
  generatedAt: '2025-10-30T12:00:00Z',
  schedule: 'daily',
  includes: ['uploads'],
  complete: true,
  encryption: { enabled: false },
  sources: [
    { name: 'uploads', type: 'directory', scope: 'files', path: 'uploads', files: 1, bytes: 1 },
    { name: 'more', type: 'directory', scope: 'files', path: 'more', files: 1, bytes: 1 },
  ],
} as const;
const encrypted = { ...manifest, encryption: { enabled: true, algorithm: 'AES-256-Zip', hint: 'in the safe' } };

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
      scopes: ['files'],
      complete: true,
      encrypted: false,
      open: expect.stringContaining('unzip') as string,
    });
  });

  it('says of an encrypted one where its passphrase is kept, and what opens it', () => {
    const comment: unknown = JSON.parse(archiveComment(encrypted));
    expect(comment).toMatchObject({
      encrypted: true,
      hint: 'in the safe',
      open: expect.stringContaining('7z') as string,
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
        expect(parseArchiveComment(comment)).toMatchObject({ id: manifest.id, complete: true, encrypted: false });
        expect(commentFault(parseArchiveComment(comment), { ...manifest, ...long })).toBeUndefined();
      }
    }
  });

  it('keeps the instance where only its lists are too long: by it `latest` is found', () => {
    const includes = Array<string>(10_000).fill('a name');
    expect(parseArchiveComment(archiveComment({ ...encrypted, includes }))).toMatchObject({
      instance: 'site',
      hint: 'in the safe',
    });
  });
});

describe('parseArchiveComment', () => {
  const parse = (comment: unknown): unknown => parseArchiveComment(JSON.stringify(comment));
  const good = { id: 'x', generatedAt: '2025-10-30T12:00:00Z', complete: true };

  it('takes what bkp wrote, and ignores what it does not know', () => {
    expect(parse({ ...good, later: [1] })).toEqual(good);
    expect(parseArchiveComment(archiveComment(encrypted))).toMatchObject({ id: manifest.id, scopes: ['files'] });
  });

  const others: Readonly<Record<string, unknown>> = {
    'no object': 'text',
    null: null,
    'without an id': { ...good, id: undefined },
    'without a time': { ...good, generatedAt: 'yesterday' },
    'that does not say whether it is complete': { ...good, complete: 'yes' },
    'nested deeply': { ...good, includes: JSON.parse(`${'['.repeat(20)}${']'.repeat(20)}`) as unknown },
    'with names that are none': { ...good, includes: [1] },
    'with a hint that is none': { ...good, hint: {} },
  };
  for (const [what, comment] of Object.entries(others)) {
    it(`takes none ${what}`, () => expect(parse(comment)).toBeUndefined());
  }

  it('takes none that is missing, no JSON, or cut short', () => {
    for (const comment of [undefined, '', 'made by hand', archiveComment(manifest).slice(0, -1)])
      expect(parseArchiveComment(comment)).toBeUndefined();
  });
});

describe('commentFault', () => {
  const told = parseArchiveComment(archiveComment(encrypted));

  it('is nothing where it says what the manifest says', () => {
    expect(commentFault(told, encrypted)).toBeUndefined();
  });

  it('names what it says otherwise', () => {
    for (const [key, value] of Object.entries({
      id: 'y',
      instance: 'z',
      complete: false,
      includes: [],
      hint: 'at my desk',
    }))
      expect(commentFault({ ...told!, [key]: value }, encrypted)).toContain(key);
    expect(commentFault({ ...told!, hint: 'x' }, manifest)).toBeDefined();
    expect(commentFault(undefined, encrypted)).toContain('not the one');
  });
});
