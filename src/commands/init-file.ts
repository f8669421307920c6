import { loadConfig } from '../config/load.js';
import { writeFileDurably } from '../fs/partial-file.js';
import type { InitPlan } from '../ui/init-view.js';

/** Only its owner reads it: addresses and commands that are added later may be secret. */
const mode = 0o600;

/** Writes the file where there is none, and reads it as every later run will. Rejects with `output-exists`. */
export async function writeInitFile({ root, file, text }: InitPlan): Promise<void> {
  await writeFileDurably(file, Buffer.from(text), mode, { overwrite: false });
  await loadConfig({ cwd: root, env: {}, flags: { root } });
}
