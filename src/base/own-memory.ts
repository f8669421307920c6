/** Memory that shares its ArrayBuffer with nothing else. What it holds is undefined. */
export const ownMemory = (bytes: number): Buffer => Buffer.allocUnsafeSlow(bytes);
