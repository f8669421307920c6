/** Commands as they are typed in the folder of a copy of fixtures/site, called `cms`; one file each. */
export interface Scene {
  /** Typed before, without being shown. */
  readonly before?: readonly string[];
  readonly lines: readonly string[];
}

const cutShort = 'zip=$(ls var/backups/*.zip); head -c 5000 $zip > cut; mv cut $zip';

export const scenes: Readonly<Record<string, Scene>> = {
  bkp: {
    lines: [
      'bkp',
      'bkp create -q; bkp',
      'cd /; bkp',
      'bkp -C /nowhere',
      'bkp craete',
      'bkp list --josn',
      'bkp list --josn --json',
      'bkp --version',
    ],
  },
  create: {
    lines: [
      'bkp create --dry-run',
      'bkp create --comment "before the update"',
      'bkp create -o ../copy.tar.gz --only user.brain,snapshots',
      'bkp create -o ../copy.tar.gz',
      'bkp create --only user.brian',
      'bkp create --no-databases --no-snapshots --no-uploads',
      'bkp create --encrypt --format tar.gz',
      'bkp create --encrypt',
      'bkp create -i',
      'bkp create --schedule daily',
      'mv var/uploads ..; bkp create',
      'bkp create --only uploads --json',
    ],
  },
  list: {
    lines: [
      'bkp list',
      'mkdir var/backups; bkp list',
      'mv var/uploads ..; bkp create -q --only uploads; mv ../uploads var; bkp list',
      'bkp create -q --comment "before the update"; bkp list',
      'echo nonsense > var/backups/20200101T000000Z-manual.zip; bkp list --failed -v',
      'bkp list --json',
      'bkp list --sort colour',
    ],
  },
  show: {
    before: ['bkp create -q --no-uploads --comment "before the update"'],
    lines: ['bkp show latest', 'bkp show latest --files | sed "s/.* //" | head -3', 'bkp show ../missing.zip'],
  },
  verify: {
    before: ['bkp create -q'],
    lines: ['bkp verify', `${cutShort}; bkp verify latest`, 'bkp verify 1999'],
  },
  restore: {
    before: ['bkp create -q', 'echo later > var/uploads/later.txt'],
    lines: [
      'bkp restore',
      'bkp restore latest --dry-run',
      'bkp restore latest',
      'bkp restore latest --confirm latest',
      'bkp restore latest --only uploads --confirm $(bkp list | sed -n "2s/ .*//p")',
      'bkp restore --undo --dry-run -v | grep added',
      'bkp restore latest --target ../look --only user.brain',
      'bkp restore latest --target ../look',
      'bkp restore latest --only nonsense --target ../other',
      'bkp restore --recover',
      `rm var/backups/*-safety.zip*; ${cutShort}; bkp restore latest --dry-run`,
    ],
  },
  lock: {
    before: ['bkp create -q --only user.brain'],
    lines: ['bkp lock latest', 'bkp lock latest', 'bkp unlock latest', 'bkp lock'],
  },
  delete: {
    before: ['bkp create -q --only user.brain', 'bkp lock latest -q'],
    lines: [
      'bkp delete latest',
      'bkp delete latest --confirm $(bkp list | sed -n "2s/ .*//p")',
      'bkp unlock -q latest; bkp delete latest --confirm 20200101T000000Z-manual',
      'bkp delete latest --confirm $(bkp list | sed -n "2s/ .*//p")',
    ],
  },
  prune: {
    before: ['bkp schedule set daily --every daily --at 03:30 --keep 1 -q', 'bkp create -q --only user.brain'],
    lines: [
      'bkp prune --dry-run',
      'bkp create -q --schedule daily; bkp create -q --schedule daily --no-prune; bkp prune --dry-run',
      'bkp prune',
      'bkp prune --keep-last many',
    ],
  },
  schedule: {
    lines: [
      'bkp schedule list',
      'bkp schedule set daily --every daily --at 03:30 --keep 7 --keep-weekly 4',
      'bkp schedule set weekly --every weekly --on someday --at 4:00 --keep 4',
      'bkp schedule set latest --every daily --at 03:30 --keep 7',
      'bkp schedule list',
      'bkp schedule disable daily',
      'bkp schedule next',
      'bkp schedule run',
      'bkp schedule remove weekly',
      'bkp schedule install --print',
      'bkp schedule',
    ],
  },
  status: {
    lines: [
      'bkp status',
      'bkp create -q; bkp status --max-age 26h',
      'bkp status --max-age soon',
      'mv var/uploads ..; bkp create -q; bkp status; bkp',
      'rm var/backups/*.zip; bkp status -q',
    ],
  },
  log: {
    lines: [
      'bkp log',
      'bkp create -q --only user.brain; bkp log',
      'bkp log 99',
      'mv var/user.brain ..; bkp create -q; bkp log',
    ],
  },
  init: {
    before: [
      'mkdir ../app ../empty; cp var/user.brain ../app/data.sqlite; mkdir ../app/files; echo a > ../app/files/a',
    ],
    lines: [
      'bkp init ../app --dry-run',
      'bkp init ../app',
      'bkp init ../app --yes | tail -3',
      'bkp init ../app --yes',
      'bkp init ../empty',
    ],
  },
  doctor: {
    lines: [
      'bkp doctor',
      'mkdir var/backups; touch var/other.txt; chmod 777 var/backups; bkp doctor -q',
      'echo "sources: []" > .backuprc; bkp doctor',
    ],
  },
  completion: { lines: ['bkp completion bash | head -1', 'bkp completion', 'bkp completion fish'] },
};
