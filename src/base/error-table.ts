import type { ExitName } from './exit-codes.js';

/** Every expected failure: its stable id (part of the JSON contract) and the exit code it ends with. */
export const errorTable = {
  usage: 'usage',
  'config-invalid': 'usage',
  'config-unsafe': 'usage',
  'config-not-found': 'usage',
  'root-not-found': 'usage',
  'source-unknown': 'usage',
  'backup-ambiguous': 'usage',
  'nothing-readable': 'failed',
  'storage-unwritable': 'failed',
  'output-unwritable': 'failed',
  'target-unwritable': 'failed',
  'read-back-failed': 'failed',
  'sqlite-child-failed': 'failed',
  'io-failed': 'failed',
  internal: 'failed',
  'backup-not-found': 'notFound',
  'file-not-found': 'notFound',
  'storage-not-found': 'notFound',
  'lock-held': 'lockHeld',
  'passphrase-missing': 'passphrase',
  'no-space': 'noSpace',
  'archive-damaged': 'damaged',
  'format-newer': 'refused',
  'encryption-unsupported': 'refused',
  'needs-wal-or-quiesce': 'refused',
  'output-exists': 'refused',
  'target-not-empty': 'refused',
  'unverified-archive': 'refused',
  'name-collision': 'refused',
  'hung-up': 'hangup',
  interrupted: 'interrupted',
  terminated: 'terminated',
} as const satisfies Record<string, ExitName>;

export type ErrorId = keyof typeof errorTable;
