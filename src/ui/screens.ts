import { StreamWriter } from './stream-writer.js';

/** Standard output and error. */
export interface Screens {
  readonly out: StreamWriter;
  readonly err: StreamWriter;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export function openScreens(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream): Screens {
  return { out: new StreamWriter(stdout), err: new StreamWriter(stderr), stdout, stderr };
}
