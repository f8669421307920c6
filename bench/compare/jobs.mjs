// What is measured: one job for each tool and work. `prepare` is not timed; `size` names what the job has made.
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const shell = (command, env = {}) => {
  const { status, stderr } = spawnSync('/bin/sh', ['-c', command], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
};

/** Bytes of a file, or of all files below a folder. */
export function bytesOf(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + (bytesOf(join(path, name)) ?? 0), 0);
}

/** All jobs. `site` is backed up, everything else lies in `work`; `bkp` is how bkp is called. */
export function jobs({ site, work, bkp }) {
  const at = (name) => join(work, name);
  const content = 'var';
  const gone = (...names) => names.forEach((name) => rmSync(at(name), { recursive: true, force: true }));
  const restic = { RESTIC_PASSWORD: 'bench', RESTIC_CACHE_DIR: at('restic-cache'), RESTIC_REPOSITORY: at('restic') };
  const borg = {
    BORG_BASE_DIR: at('borg-base'),
    BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
    BORG_REPO: at('borg'),
  };
  const create = (name, flags) => ({
    needs: 'node',
    prepare: () => gone(name, `${name}.sha256`),
    command: `${bkp} create -C ${site} -q --no-progress ${flags} -o ${at(name)}`,
    size: at(name),
  });
  const tar = (needs, name, filter) => ({
    needs,
    prepare: () => gone(name),
    command: `cd ${site} && tar -cf - ${content} | ${filter} > ${at(name)}`,
    size: at(name),
  });
  let asides = 0;
  const unpacked = (needs, from, command) => ({
    needs,
    after: from,
    // What was unpacked before is put aside: ext4 is slow to make files where others were removed within half a minute.
    prepare: () => {
      if (existsSync(at('out'))) renameSync(at('out'), at(`out-${asides++}`));
      mkdirSync(at('out'));
    },
    command,
  });
  const freshRestic = () => {
    gone('restic', 'restic-cache');
    shell('restic init -q', restic);
  };
  const freshBorg = () => {
    gone('borg', 'borg-base');
    shell('borg init -e none', borg);
  };
  let changes = 0;
  /** A row in the database and one file in five hundred, as a day may bring. */
  const changeLittle = () => {
    changes += 1;
    execFileSync('sqlite3', [
      join(site, 'var/user.brain'),
      `CREATE TABLE IF NOT EXISTS bench (n INTEGER); INSERT INTO bench VALUES (${changes})`,
    ]);
    const projects = join(site, 'var/snapshots');
    for (const project of readdirSync(projects)) {
      const files = readdirSync(join(projects, project)).sort();
      for (let n = changes; n < files.length; n += 500) appendFileSync(join(projects, project, files[n]), ' ');
    }
  };
  return {
    'bkp zip quick': create('bkp.zip', '--quick-check'),
    'bkp zip': create('bkp.zip', ''),
    'bkp tar.gz quick': create('bkp.tar.gz', '--quick-check'),
    'bkp zip quick -l 1': create('bkp-1.zip', '--quick-check -l 1'),
    'zip -6': {
      needs: 'zip',
      prepare: () => gone('zip.zip'),
      command: `cd ${site} && zip -qr -6 ${at('zip.zip')} ${content}`,
      size: at('zip.zip'),
    },
    'tar | gzip': tar('gzip', 'gzip.tar.gz', 'gzip -6'),
    'tar | pigz -6': tar('pigz', 'pigz.tar.gz', 'pigz -6'),
    'tar | zstd -3': tar('zstd', 'zstd.tar.zst', 'zstd -q -3 -T0'),
    '7z -mx1': {
      needs: '7z',
      prepare: () => gone('7z.zip'),
      command: `cd ${site} && 7z a -tzip -mx=1 -bso0 -bsp0 ${at('7z.zip')} ${content}`,
      size: at('7z.zip'),
    },
    'restic first': {
      needs: 'restic',
      env: restic,
      prepare: freshRestic,
      command: `cd ${site} && restic backup -q ${content}`,
      size: at('restic'),
    },
    'borg first': {
      needs: 'borg',
      env: borg,
      prepare: freshBorg,
      command: `cd ${site} && borg create -C lz4 ::first ${content}`,
      size: at('borg'),
    },
    'unzip -t': { needs: 'unzip', after: 'zip -6', command: `unzip -tq ${at('zip.zip')}` },
    '7z t': { needs: '7z', after: 'zip -6', command: `7z t -bso0 -bsp0 ${at('zip.zip')}` },
    'restic check': { needs: 'restic', env: restic, after: 'restic first', command: 'restic check -q --read-data' },
    'bkp verify': { needs: 'node', after: 'bkp zip', command: `${bkp} verify -q --no-progress ${at('bkp.zip')}` },
    'bkp restore': unpacked(
      'node',
      'bkp zip',
      `${bkp} restore -q --no-progress ${at('bkp.zip')} --target ${at('out')}`,
    ),
    'unzip && sync': unpacked('unzip', 'zip -6', `unzip -q ${at('zip.zip')} -d ${at('out')} && sync -f ${at('out')}`),
    'restic restore && sync': {
      ...unpacked('restic', 'restic first', `restic restore -q latest --target ${at('out')} && sync -f ${at('out')}`),
      env: restic,
    },
    'bkp again': {
      needs: 'sqlite3',
      prepare: () => {
        changeLittle();
        gone('again.zip', 'again.zip.sha256');
      },
      command: `${bkp} create -C ${site} -q --no-progress --storage ${at('storage')}`,
      first: () => shell(`${bkp} create -C ${site} -q --no-progress --storage ${at('storage')}`),
    },
    'restic second': {
      needs: 'restic',
      env: restic,
      prepare: changeLittle,
      first: () => {
        freshRestic();
        shell(`cd ${site} && restic backup -q ${content}`, restic);
      },
      command: `cd ${site} && restic backup -q ${content}`,
    },
    'borg second': {
      needs: 'borg',
      env: borg,
      prepare: changeLittle,
      first: () => {
        freshBorg();
        shell(`cd ${site} && borg create -C lz4 ::first ${content}`, borg);
      },
      command: `cd ${site} && borg create -C lz4 '::{now:%s.%f}' ${content}`,
    },
    'node -e 0': { needs: 'node', command: `${process.execPath} -e 0` },
    'bkp --version': { needs: 'node', command: `${bkp} --version` },
    'bkp list': { needs: 'node', command: `${bkp} list -q --storage ${at('many')}` },
  };
}
