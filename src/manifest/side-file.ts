import { sumLine } from './checksums.js';

/** The file beside an archive, as `sha256sum` writes it: `<archive>.sha256`. */
export const sideSuffix = '.sha256';

export const maxSideBytes = 16 * 1024;

export const sideFileText = (sha256: string, archiveName: string): string => sumLine({ sha256, path: archiveName });

/** The sum in a side file, whatever name stands behind it (the archive may have been renamed); undefined: not one. */
export function parseSideFile(text: string): string | undefined {
  return /^\\?([0-9a-fA-F]{64})(?: [ *][^\n]+)?\n?$/.exec(text)?.[1]?.toLowerCase();
}
