/** How bkp is called for an instance from a place that knows no working folder and no `PATH`. Absolute paths. */
export interface BkpCall {
  /** The program of Node.js. */
  readonly node: string;
  /** `bin/bkp.js`. */
  readonly script: string;
  readonly root: string;
  /** Undefined where there is none, or the one found in the root counts. */
  readonly configFile: string | undefined;
  /** Where it does not come from the configuration. */
  readonly storage: string | undefined;
}

/** The words of a command line. */
export function bkpWords(call: BkpCall, ...command: readonly string[]): readonly string[] {
  const { node, script, root, configFile, storage } = call;
  return [
    node,
    script,
    '-C',
    root,
    ...(configFile === undefined ? [] : ['-c', configFile]),
    ...(storage === undefined ? [] : ['--storage', storage]),
    ...command,
  ];
}
