import { fchmodSync, fchownSync, fstatSync, futimesSync, lchownSync, lutimesSync } from 'node:fs';
import { systemCode } from '../base/errors.js';
import type { FileStat } from './file-stat.js';
import { unixSeconds } from './unix-time.js';

/** What is put back of a file, a folder or a link besides its content. */
export type Metadata = Pick<FileStat, 'mode' | 'mtime' | 'uid' | 'gid'>;

/** `archive`: owner and group as recorded, where we may; `self`: those of the process, as the file was created. */
export type OwnerPolicy = 'archive' | 'self';

/** What could not be put back, counted. */
export interface MetadataLosses {
  /** Owner or group is not the recorded one although the policy asked for it. */
  ownersNotSet: number;
  /** A set-user-id or set-group-id bit was left out, because it would have lent another user's or group's rights. */
  setIdsDropped: number;
}

const setUserId = 0o4000;
const setGroupId = 0o2000;

/** Owner, then mode (changing the owner clears set-id bits), then times, of an open file or folder. Throws system errors. */
export function applyToDescriptor(fd: number, meta: Metadata, policy: OwnerPolicy, losses: MetadataLosses): void {
  const chown = (uid: number, gid: number): void => fchownSync(fd, uid, gid);
  if (policy === 'archive' && !setOwner(chown, meta)) losses.ownersNotSet++;
  const mode = grantedMode(fd, meta);
  fchmodSync(fd, mode);
  if (hasSetId(meta.mode) && (fstatSync(fd).mode & 0o6000) !== (meta.mode & 0o6000)) losses.setIdsDropped++;
  const time = unixSeconds(meta.mtime);
  futimesSync(fd, time, time);
}

/** Owner and times of a symbolic link; its mode says nothing. */
export function applyToLink(path: string, meta: Metadata, policy: OwnerPolicy, losses: MetadataLosses): void {
  const chown = (uid: number, gid: number): void => lchownSync(path, uid, gid);
  if (policy === 'archive' && !setOwner(chown, meta)) losses.ownersNotSet++;
  const time = unixSeconds(meta.mtime);
  lutimesSync(path, time, time);
}

function hasSetId(mode: number): boolean {
  return (mode & (setUserId | setGroupId)) !== 0;
}

/** The mode without the set-id bits whose user or group the file did not get. */
function grantedMode(fd: number, { mode, uid, gid }: Metadata): number {
  if (!hasSetId(mode)) return mode;
  const owned = fstatSync(fd);
  return mode & ~(owned.uid === uid ? 0 : setUserId) & ~(owned.gid === gid ? 0 : setGroupId);
}

/** To the system -1 in 32 bits is no user, but "leave it as it is". */
const noId = 0xffffffff;

const deniedCodes = new Set(['EPERM', 'EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);

/** Sets owner and group, or the group alone where only that is allowed. Whether both are as wanted. */
function setOwner(chown: (uid: number, gid: number) => void, { uid, gid }: Metadata): boolean {
  if (uid !== noId && gid !== noId && isAllowed(() => chown(uid, gid))) return true;
  if (gid !== noId) isAllowed(() => chown(-1, gid));
  return false;
}

function isAllowed(change: () => void): boolean {
  try {
    change();
    return true;
  } catch (error) {
    if (deniedCodes.has(systemCode(error) ?? '')) return false;
    throw error;
  }
}
