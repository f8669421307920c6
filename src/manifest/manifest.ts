import type { Finding } from './findings.js';

/** The format this version writes; a reader takes any with the same major number. */
export const formatVersion = '1.0.0';
export const formatMajor = 1;

export interface Encryption {
  readonly enabled: boolean;
  readonly algorithm?: string;
  readonly hint?: string;
}

export interface ManifestLink {
  readonly path: string;
  readonly target: string;
}

/** What is told of a copied database. */
export interface ManifestDatabase {
  readonly pageSize: number;
  readonly pageCount: number;
  /** Of the source: `wal`, `delete`, … */
  readonly journalMode: string;
  readonly userVersion: number;
  readonly applicationId: number;
  /** `sha256:` and hexadecimal. */
  readonly schemaHash: string;
  readonly integrity: 'ok' | 'unchecked';
  /** Databases with the same number were copied at one and the same instant. */
  readonly snapshotGroup: number;
}

export type SourceType = 'sqlite' | 'directory' | 'files';

export interface ManifestSource {
  readonly name: string;
  readonly type: SourceType;
  readonly scope?: string;
  /** Relative to the instance's root where it lies in it, else absolute. */
  readonly path: string;
  readonly files: number;
  readonly bytes: number;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly sqlite?: ManifestDatabase;
  /** Databases found live inside a folder, by their entries' paths. */
  readonly databases?: Readonly<Record<string, ManifestDatabase>>;
  readonly links?: readonly ManifestLink[];
}

export interface Totals {
  readonly files: number;
  readonly directories: number;
  readonly links: number;
  /** Content bytes of the files. */
  readonly bytes: number;
}

/** manifest.json as this version writes it. Field by field in docs/archive-format.md. */
export interface Manifest {
  readonly version: string;
  readonly generatedAt: string;
  readonly includes: readonly string[];
  /** Of the bytes of SHA256SUMS. */
  readonly hash: string;
  readonly encryption: Encryption;
  readonly bodyHash: string;
  readonly id: string;
  readonly generator: {
    readonly name: string;
    readonly version: string;
    readonly node: string;
    readonly platform: string;
  };
  readonly instance: string;
  readonly root: string;
  readonly host: string;
  readonly schedule: string | null;
  readonly project: string | null;
  readonly comment: string | null;
  readonly complete: boolean;
  readonly excludes: readonly string[];
  readonly totals: Totals;
  readonly sources: readonly ManifestSource[];
  readonly findings: readonly Finding[];
}

/** A manifest as found: the first five keys are sure, the others only where `bkp` wrote it. */
export type FoundManifest = Pick<Manifest, 'version' | 'generatedAt' | 'includes' | 'hash' | 'encryption'> & {
  readonly [K in Exclude<keyof Manifest, 'version' | 'generatedAt' | 'includes' | 'hash' | 'encryption'>]?:
    Manifest[K] | undefined;
};

export function serializeManifest(manifest: Manifest): Buffer {
  return Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
}
