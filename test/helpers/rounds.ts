/** Everything is to be tried. */
export const isFull = process.env['BKP_TEST_ROUNDS'] === 'full';

/**
 * How often something that is left to chance is tried, or how dense a row of alike cases is: as a check before each change can
 * wait for, or (with BKP_TEST_ROUNDS=full) as before a release.
 */
export const rounds = (few: number, full: number): number => (isFull ? full : few);
