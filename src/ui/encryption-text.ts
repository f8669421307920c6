import type { Encryption } from '../manifest/manifest.js';
import { shownName } from './display.js';

/** How an archive is encrypted, with its hint; undefined where it is not. */
export function encryptionText({ enabled, hint }: Encryption): string | undefined {
  if (!enabled) return undefined;
  return `AES-256${hint === undefined ? ', without a hint' : `; hint: ${shownName(hint)}`}`;
}
