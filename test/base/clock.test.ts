import { describe, expect, it } from 'vitest';
import { systemClock, timestamp } from '../../src/base/clock.js';

describe('timestamp', () => {
  it('is RFC 3339 in UTC with whole seconds, rounded down', () => {
    expect(timestamp(1_761_825_600_999)).toBe('2025-10-30T12:00:00Z');
    expect(timestamp(0)).toBe('1970-01-01T00:00:00Z');
    expect(timestamp(-1)).toBe('1969-12-31T23:59:59Z');
  });
});

describe('systemClock', () => {
  it('tells wall time, and a time that never goes back', () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
    const first = systemClock.monotonic();
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(first);
  });
});
