import type { Examiner } from './examiner.js';
import type { Copy } from './group-copy.js';
import type { HeldFiles } from './held-files.js';
import type { LiveFile } from './member.js';
import { copyRaw, removeDatabase } from './raw-copy.js';
import { settleSuperJournal } from './super-journal.js';

/** Why a database is not copied where it lies, together with the others. */
export type PrivateReason =
  /** No process has it open: opening and closing it would bring its `-wal` in and delete that. */
  | 'unused'
  /** As far as processes can be seen. */
  | 'seemingly-unused'
  /** Its writers would wait for too long. */
  | 'long-pause'
  | 'locked'
  | 'no-permission';

/** In the words of a note and of a failure. */
export const privateReasons: Record<PrivateReason, string> = {
  unused: 'is open nowhere',
  'seemingly-unused': 'seems to be open nowhere, as far as processes can be seen',
  'long-pause': 'would keep its writers waiting for longer than maxPause',
  locked: 'stayed locked by another program',
  'no-permission': 'cannot be locked without permission to write',
};

export type PrivateCopy =
  | { readonly kind: 'copied'; readonly copy: Copy; readonly reason: PrivateReason }
  | { readonly kind: 'changing'; readonly reason: PrivateReason }
  /** SQLite cannot read it, or must not. */
  | { readonly kind: 'not-copied'; readonly reason: string }
  | { readonly kind: 'missing' | 'unreadable'; readonly reason: string };

export interface PrivateDeps {
  readonly held: HeldFiles;
  readonly examiner: Examiner;
  /** Told the bytes copied. */
  readonly advance: (bytes: number) => void;
}

/**
 * Copies a database without touching it: its files as they are, which SQLite then recovers where they are private. No
 * connection to it may be open. Throws where the destination cannot be written.
 */
export async function copyPrivately(
  file: LiveFile,
  destination: string,
  reason: PrivateReason,
  { held, examiner, advance }: PrivateDeps,
): Promise<PrivateCopy> {
  const apart = `${destination}.source`;
  try {
    const raw = await copyRaw(file.path, apart, held);
    if (raw.kind !== 'copied') return raw;
    if (!raw.steady) return { kind: 'changing', reason };
    const fault = settleSuperJournal(apart, file.path, file.names);
    if (fault !== undefined) return { kind: 'not-copied', reason: fault };
    const recovery = await examiner.recover(apart, destination);
    if (recovery.kind === 'not-copied') return recovery;
    const copy = { ...recovery.copy, together: false };
    advance(copy.bytes);
    return { kind: 'copied', copy, reason };
  } finally {
    await removeDatabase(apart);
  }
}
