import type { Decision } from './decision.js';
import { isFuture } from './future.js';
import { periodOf } from './periods.js';
import {
  isKeepCount,
  keepRuleNames,
  keepRules,
  type KeepRule,
  type Retention,
  type RetentionPolicy,
} from './retention-policy.js';
import { wallTime, type Zone } from './time-zone.js';

/** A backup, as far as keeping it depends on it. */
export interface RetainedBackup {
  readonly id: string;
  /** Milliseconds since 1970, by its id: never the time of its file. */
  readonly time: number;
  /** A schedule's name, `manual` or `safety`; undefined where it has no id. */
  readonly origin: string | undefined;
  /** Undefined where it does not tell. */
  readonly instance: string | undefined;
  /** Of another instance. */
  readonly foreign: boolean;
  readonly status: 'ok' | 'incomplete' | 'unproven' | 'damaged' | 'unknown';
  readonly locked: boolean;
  /** A verification found it damaged, whatever it says of itself. */
  readonly knownBad?: boolean;
}

/** How many incomplete backups of a schedule stay. */
export const incompleteKept = 2;

/**
 * Which backups stay, and why: in the order given, each with all its reasons. `retentions` holds every schedule there is;
 * one whose definition cannot be read is there as undefined.
 *
 * Only a complete, undamaged and unlocked backup of this instance that one of the schedules made can be removed, or an
 * incomplete one. Complete ones are counted from the newest by each rule of the policy, incomplete ones by themselves;
 * nothing else is counted, so that nothing else can push a good backup out. Age plays no part. Files with the same id are
 * one backup in two containers: one slot, one fate.
 */
export function decideRetention<T extends RetainedBackup>(
  backups: readonly T[],
  retentions: ReadonlyMap<string, Retention | undefined>,
  now: number,
): readonly Decision<T>[] {
  const judged = backups.map((backup) => ({ backup, reasons: reasonsToLeave(backup, retentions, now) }));
  for (const [schedule, retention] of retentions) {
    if (retention === undefined) continue;
    const open = judged.filter(({ backup, reasons }) => backup.origin === schedule && reasons.length === 0);
    const { policy, timezone } = retention;
    const groupsOf = (status: RetainedBackup['status']): readonly Group[] =>
      newestFirst(
        open.filter(({ backup }) => backup.status === status),
        timezone,
      );
    countComplete(groupsOf('ok'), policy);
    countIncomplete(groupsOf('incomplete'));
  }
  return judged.map(({ backup, reasons }) => ({ backup, keep: reasons.length > 0, reasons }));
}

interface Judged {
  readonly backup: RetainedBackup;
  readonly reasons: string[];
}

/** Why a backup is neither counted nor removed, whatever the policy is; empty where the policy decides. */
function reasonsToLeave(
  backup: RetainedBackup,
  retentions: ReadonlyMap<string, Retention | undefined>,
  now: number,
): string[] {
  if (backup.foreign) return ['of another instance'];
  if (backup.instance === undefined) return ['does not say which instance made it'];
  const reasons: string[] = [];
  const origin = originReason(backup.origin, retentions);
  if (origin !== undefined) reasons.push(origin);
  if (backup.locked) reasons.push('locked');
  if (isFuture(backup.time, now)) reasons.push('dated in the future');
  const state = stateReason(backup);
  if (state !== undefined) reasons.push(state);
  return reasons;
}

function originReason(
  origin: string | undefined,
  retentions: ReadonlyMap<string, Retention | undefined>,
): string | undefined {
  if (origin === undefined) return 'made by no schedule';
  if (origin === 'manual') return 'made by hand: only `bkp delete` removes it';
  if (origin === 'safety') return 'a safety backup: no schedule removes it';
  if (!retentions.has(origin)) return 'its schedule is not there any more';
  return retentions.get(origin) === undefined ? 'its schedule cannot be read' : undefined;
}

function stateReason({ status, knownBad }: RetainedBackup): string | undefined {
  if (knownBad === true) return damaged;
  switch (status) {
    case 'ok':
    case 'incomplete':
      return undefined;
    case 'damaged':
      return damaged;
    case 'unknown':
      return 'cannot be read: what it holds is not known';
    case 'unproven':
      return 'cannot be proven';
  }
}

/** Not "delete it": what is left in it may be all there is. */
const damaged = 'damaged: look at it';

/** Files with the same id. */
interface Group {
  readonly time: number;
  /** What clocks show then in the schedule's zone. */
  readonly wall: number;
  readonly members: Judged[];
}

function newestFirst(judged: readonly Judged[], timezone: Zone): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const each of judged) {
    const { id, time } = each.backup;
    const group = groups.get(id);
    if (group === undefined) groups.set(id, { time, wall: wallTime(timezone, time), members: [each] });
    else group.members.push(each);
  }
  return [...groups.values()].sort((a, b) => b.time - a.time);
}

function keepGroup({ members }: Group, reason: string): void {
  for (const { reasons } of members) reasons.push(reason);
}

/** A policy without a rule would keep nothing: it keeps everything. */
function countComplete(groups: readonly Group[], policy: RetentionPolicy): void {
  const rules = keepRuleNames.filter((rule) => isKeepCount(policy[rule]));
  if (rules.length === 0) for (const group of groups) keepGroup(group, 'no rule says how many stay');
  for (const rule of rules) countBy(rule, policy[rule] ?? 0, groups);
}

function countBy(rule: KeepRule, most: number, groups: readonly Group[]): void {
  const unit = keepRules[rule];
  const seen = new Set<number>();
  for (const [index, group] of groups.entries()) {
    const counted = unit === 'last' ? index : periodOf(unit, group.time, group.wall);
    if (seen.has(counted)) continue;
    if (seen.size === most) return;
    seen.add(counted);
    keepGroup(group, `${unit} ${seen.size} of ${most}`);
  }
}

function countIncomplete(groups: readonly Group[]): void {
  for (const [index, group] of groups.slice(0, incompleteKept).entries()) {
    keepGroup(group, `incomplete ${index + 1} of ${incompleteKept}`);
  }
}
