import type { ManifestDatabase, ManifestLink, Totals } from '../manifest/manifest.js';

/** What went into an archive of one source. */
export class SourceTally {
  files = 0;
  /** Of content. */
  bytes = 0;
  directories = 0;
  readonly links: ManifestLink[] = [];
  /** Those found inside a folder, by their paths. */
  readonly databases: Record<string, ManifestDatabase> = {};

  addedTo(totals: Totals): Totals {
    return {
      files: totals.files + this.files,
      directories: totals.directories + this.directories,
      links: totals.links + this.links.length,
      bytes: totals.bytes + this.bytes,
    };
  }
}
