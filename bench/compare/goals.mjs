// What we want to be, as ratios of wall times (or sizes) of one run.
const goal = (row, us, them, ratio, more = {}) => ({ row, us: [us].flat(), them: [them].flat(), goal: ratio, ...more });

const quick = 'create zip --quick-check';
export const goals = [
  goal(quick, 'bkp zip quick', 'zip -6', 0.22),
  goal(quick, 'bkp zip quick', 'tar | pigz -6', 0.5),
  goal(quick, 'bkp zip quick', 'restic first', 0.8),
  goal(quick, 'bkp zip quick', 'borg first', 0.8),
  goal(`${quick}, size`, 'bkp zip quick', 'zip -6', 1.02, { size: true }),
  goal(`${quick}, the limit`, 'bkp zip quick', 'limit', 1.3),
  goal('create zip, proven', 'bkp zip', ['zip -6', 'unzip -t'], 0.25),
  goal('create zip, proven', 'bkp zip', ['restic first', 'restic check'], 0.8),
  goal('create tar.gz --quick-check', 'bkp tar.gz quick', 'tar | pigz -6', 0.5),
  goal('create zip --quick-check -l 1', 'bkp zip quick -l 1', 'tar | zstd -3', 1.2),
  goal('create again, little changed', 'bkp again', 'restic second', 0.8),
  goal('create again, little changed', 'bkp again', 'borg second', 0.9),
  goal('verify', 'bkp verify', '7z t', 1.0),
  goal('verify', 'bkp verify', 'unzip -t', 0.6),
  goal('restore to an empty folder', 'bkp restore', 'unzip && sync', 0.6),
  goal('restore to an empty folder', 'bkp restore', 'restic restore && sync', 1.0),
  goal('start-up: --version', 'bkp --version', 'node -e 0', 2.0),
  goal('start-up: list of 1,000 archives', 'bkp list', 'node -e 0', 6.0),
];
