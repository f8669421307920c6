const billion = 1_000_000_000n;

/** Whole seconds (rounded down) and the nanoseconds above them. */
export function splitTime(time: bigint): { readonly seconds: bigint; readonly nanoseconds: number } {
  const nanoseconds = ((time % billion) + billion) % billion;
  return { seconds: (time - nanoseconds) / billion, nanoseconds: Number(nanoseconds) };
}

/** Nanoseconds since 1970. */
export const toNanoseconds = (seconds: bigint, nanoseconds = 0): bigint => seconds * billion + BigInt(nanoseconds);

/** Whether seconds fit the 32 bits, signed, of Info-ZIP's timestamp. */
export const fits32 = (seconds: bigint): boolean => seconds >= -0x80000000n && seconds <= 0x7fffffffn;
