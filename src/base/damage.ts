/**
 * What can be wrong with an archive as a container. The ids are part of the JSON contract: texts may change, ids do not.
 * `manifest/findings.ts` adds what can be wrong with its content.
 */
export type DamageId =
  | 'structure-invalid'
  | 'truncated'
  | 'data-after-end'
  | 'data-between-entries'
  | 'entries-overlap'
  | 'entry-duplicate'
  | 'entry-path-unsafe'
  | 'entry-type-forbidden'
  | 'entry-under-link'
  | 'too-many-entries'
  | 'central-local-mismatch'
  | 'crc-mismatch'
  | 'size-mismatch'
  | 'content-undecodable'
  | 'authentication-failed'
  | 'entry-in-clear'
  | 'manifest-missing'
  | 'manifest-invalid';

/** One thing found wrong; `path` is the entry's name as stored, where it is about one. */
export interface Damage {
  readonly id: DamageId;
  readonly message: string;
  readonly path?: string;
}

/** Thrown by readers where nothing after the damage can be trusted; operations turn it into a finding. */
export class ArchiveDamage extends Error implements Damage {
  override readonly name = 'ArchiveDamage';
  readonly id: DamageId;
  readonly path?: string;

  constructor(id: DamageId, message: string, path?: string) {
    super(message);
    this.id = id;
    if (path !== undefined) this.path = path;
  }
}
