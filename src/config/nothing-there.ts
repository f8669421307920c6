import { dirname } from 'node:path';
import { BkpError } from '../base/errors.js';
import type { Config } from './config.js';
import { configNames, exists, findConfigFile, upward } from './find-file.js';

/**
 * Why a root that was named, without a configuration, is no instance: it has nothing of what the CMS has, and no backups. It is
 * another application's, or the wrong folder. Undefined where there is something; a restore into such a folder is in order.
 */
export async function nothingThere(config: Config): Promise<BkpError | undefined> {
  const { sources, storage, origins, configFile, root } = config;
  if (origins.root === 'default' || configFile !== undefined || origins.storage !== 'default') return undefined;
  // Where `var` is left, it may be the CMS without its data.
  const places = sources.flatMap(({ type, path }) => (type === 'files' ? [] : [dirname(path)]));
  for (const place of new Set([storage, ...places])) if (place !== root && (await exists(place))) return undefined;
  const above = await findConfigFile(upward(dirname(root)), true).catch(() => undefined);
  const hint =
    above === undefined
      ? '`bkp init` looks at the folder and writes a configuration for what is there.'
      : `There is a configuration above it: ${above.file}. Leave -C out, or name its folder.`;
  const message = `${root} has neither a configuration (${configNames[0]}) nor anything of the layout of the CMS`;
  return new BkpError('root-not-found', message, { hint, path: root });
}
