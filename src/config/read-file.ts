import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { BkpError, errorText, systemCode } from '../base/errors.js';
import { isMap } from './fault.js';

/** A file that was found, safe, and parsed; what it holds is not checked yet. */
export interface FoundConfig {
  readonly file: string;
  readonly raw: unknown;
}

const maxBytes = 1024 * 1024;
const scripts = new Set(['.js', '.cjs', '.mjs', '.ts', '.cts', '.mts']);

/**
 * Reads and parses one configuration file: JSON by its ending, else YAML; of a package.json, its key `backup`. Owner and
 * mode are checked before a byte of it is parsed. Rejects with `config-not-found`, `config-unsafe` or `config-invalid`.
 */
export async function readConfigFile(file: string, allowUnsafe: boolean): Promise<FoundConfig> {
  if (scripts.has(extname(file))) {
    throw new BkpError('config-invalid', `a configuration cannot be a program: ${file}`, {
      hint: 'Write it as YAML or JSON; bkp runs no code from a configuration.',
      path: file,
    });
  }
  if (basename(file) === 'package.json') {
    const found = await readPackageKey(file, allowUnsafe);
    if (found !== undefined) return found;
    throw new BkpError('config-not-found', `${file} has no key "backup"`, {
      hint: 'Add it, or name another file.',
      path: file,
    });
  }
  const { text, unsafe } = await readChecked(file);
  if (unsafe !== undefined && !allowUnsafe) throw unsafe;
  if (text.trim() === '') throw invalid(file, 'is empty');
  const raw = await parseText(file, text, extname(file) === '.json' ? '.json' : 'noExt');
  // YAML of nothing but comments.
  if (raw === null || raw === undefined) throw invalid(file, 'is empty');
  return { file, raw };
}

const backupKey = /"backup"\s*:/;
const backupMap = /"backup"\s*:\s*\{/;

/**
 * The key `backup` of a package.json; undefined where there is no such file or key. Most are no configuration of ours and
 * may well be writable by a group: an unsafe one is refused only where its text could hold the key, and never parsed.
 */
export async function readPackageKey(file: string, allowUnsafe: boolean): Promise<FoundConfig | undefined> {
  const read = await readChecked(file).catch((error: unknown) => {
    if (error instanceof BkpError && error.id === 'config-not-found') return undefined;
    throw error;
  });
  if (read === undefined || !backupKey.test(read.text)) return undefined;
  if (read.unsafe !== undefined && !allowUnsafe) {
    if (backupMap.test(read.text)) throw read.unsafe;
    return undefined;
  }
  const holds = await parseText(file, read.text, '.json');
  return isMap(holds) && Object.hasOwn(holds, 'backup') ? { file, raw: holds['backup'] } : undefined;
}

interface CheckedText {
  readonly text: string;
  /** Why it is not to be parsed, if so. */
  readonly unsafe: BkpError | undefined;
}

async function readChecked(file: string): Promise<CheckedText> {
  let handle: FileHandle;
  let link: Stats;
  try {
    link = await lstat(file);
    // Without O_NONBLOCK a fifo of that name would be waited for.
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') {
      throw new BkpError('config-not-found', `there is no configuration file ${file}`, {
        hint: 'Check the path, or a link that leads nowhere.',
        path: file,
        cause: error,
      });
    }
    throw invalid(file, `cannot be read: ${errorText(error)}`, error);
  }
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw invalid(file, 'is not a regular file');
    if (stats.size > maxBytes) throw invalid(file, `is larger than ${maxBytes} bytes`);
    // A link's own mode means nothing, but who placed it chose what is read.
    const why = unsafeOwner(link) ?? unsafeOwner(stats) ?? unsafeMode(stats);
    return {
      text: decode(file, await handle.readFile()),
      unsafe: why === undefined ? undefined : unsafeFile(file, why),
    };
  } catch (error) {
    throw error instanceof BkpError ? error : invalid(file, `cannot be read: ${errorText(error)}`, error);
  } finally {
    await handle.close();
  }
}

interface Unsafe {
  readonly because: string;
  readonly mend: string;
}

function unsafeOwner(stats: Stats): Unsafe | undefined {
  const user = process.geteuid?.();
  if (user === undefined || stats.uid === 0 || stats.uid === user) return undefined;
  return { because: `belongs to user ${stats.uid}, neither to you (${user}) nor to root`, mend: `chown ${user}` };
}

function unsafeMode(stats: Stats): Unsafe | undefined {
  const mode = stats.mode & 0o777;
  if ((mode & 0o022) === 0) return undefined;
  return { because: `can be written by its group or by others (mode 0${mode.toString(8)})`, mend: 'chmod go-w' };
}

function unsafeFile(file: string, why: Unsafe): BkpError {
  return new BkpError('config-unsafe', `not reading ${file}: it ${why.because}`, {
    hint: `Look at what it says, then run "${why.mend} ${file}"; or pass --allow-unsafe-config.`,
    path: file,
  });
}

function decode(file: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new BkpError('config-invalid', `${file} is not UTF-8 text`, {
      cause: error,
      path: file,
      hint: 'Save it as UTF-8.',
    });
  }
}

/**
 * Only cosmiconfig's loaders are used, never its explorer, which runs `.config/config.js` of the working folder when it is
 * merely made. Loaded here, because most runs of some commands have no file to parse.
 */
async function parseText(file: string, text: string, loader: '.json' | 'noExt'): Promise<unknown> {
  const { defaultLoaders } = await import('cosmiconfig');
  try {
    const raw: unknown = defaultLoaders[loader](file, text);
    return raw;
  } catch (error) {
    const language = loader === '.json' ? 'JSON' : 'YAML';
    throw new BkpError('config-invalid', `${file} is not valid ${language}: ${reason(error)}`, {
      cause: error,
      path: file,
      hint: 'Mend it there; nothing was done.',
    });
  }
}

/** The one line of a loader's message that says what is wrong; the others repeat the file's name and show its text. */
function reason(error: unknown): string {
  const lines = errorText(error).split('\n');
  return lines.slice(1).find((line) => line.trim() !== '' && !/^\s*(>|\||-|\d+ \|)/.test(line)) ?? errorText(error);
}

function invalid(file: string, what: string, cause?: unknown): BkpError {
  return new BkpError('config-invalid', `the configuration ${file} ${what}`, {
    hint: 'Mend it (docs/configuration.md says what it may hold), or move it away.',
    path: file,
    cause,
  });
}
