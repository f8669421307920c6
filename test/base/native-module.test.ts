import { expect, it } from 'vitest';
import { nativeModuleFailure } from '../../src/base/native-module.js';

it('says how a module that was never built, or for another Node.js, is mended', () => {
  const never = nativeModuleFailure(new Error('Could not locate the bindings file. Tried:\n → a'));
  expect(never).toMatchObject({
    id: 'module-not-built',
    exitCode: 1,
    hint: expect.stringContaining('npm rebuild') as string,
  });
  expect(never?.message).toContain('never built');
  const other = nativeModuleFailure(Object.assign(new Error('NODE_MODULE_VERSION 108'), { code: 'ERR_DLOPEN_FAILED' }));
  expect(other?.message).toContain('another version of Node.js');
  expect(nativeModuleFailure(new Error('anything else'))).toBeUndefined();
});
