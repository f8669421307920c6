/** Whether a file that begins with these bytes can be a tar.gz. */
export function looksLikeGzip(first: Uint8Array): boolean {
  return first[0] === 0x1f && first[1] === 0x8b;
}
