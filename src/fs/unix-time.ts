/**
 * A time in nanoseconds since 1970 as what Node.js's `utimes` calls take. They count seconds in a double, and libuv cuts
 * that to whole microseconds: what can be had is the microsecond (towards 1970), exactly so for times that are whole ones.
 * As text, because Node.js takes a negative number for "now".
 */
export function unixSeconds(nanoseconds: bigint): string {
  const magnitude = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const seconds = Number(magnitude / 1_000_000_000n);
  const rest = Number(magnitude % 1_000_000_000n);
  let nearest = seconds + rest / 1e9;
  // Rounded down, cutting would lose a microsecond: the next double up keeps it.
  if ((nearest - seconds) * 1e9 < rest - (rest % 1000)) nearest *= 1 + Number.EPSILON;
  return `${nanoseconds < 0n ? '-' : ''}${nearest}`;
}
