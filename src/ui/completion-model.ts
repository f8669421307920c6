/** What may be typed at a place: words, or what is looked up while one types. */
export type Completes = 'nothing' | 'folder' | 'file' | 'backup' | 'schedule' | readonly string[];

export interface CompletedOption {
  /** `-n`, `--dry-run`. */
  readonly flags: readonly string[];
  readonly about: string;
  /** How its value is called in the help; undefined where it has none. */
  readonly value: { readonly name: string; readonly completes: Completes } | undefined;
}

/** A command as a shell has to know it. */
export interface CompletedCommand {
  /** Its name, then others it has. */
  readonly names: readonly string[];
  readonly about: string;
  readonly options: readonly CompletedOption[];
  /** In their order; the last one may be given several times. */
  readonly arguments: readonly { readonly name: string; readonly completes: Completes; readonly variadic: boolean }[];
  readonly commands: readonly CompletedCommand[];
}

/** Flags that tell where the backups lie: looking them up must heed them. */
export const placeFlags: readonly string[] = ['-C', '--root', '-c', '--config', '--storage'];
