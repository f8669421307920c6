import { describe, expect, it } from 'vitest';
import stringWidth from 'string-width';
import { barLine } from '../../src/ui/progress-bar.js';

const state = { phase: 'archive', bytes: 50 * 1024 * 1024, total: 200 * 1024 * 1024, milliseconds: 5000 } as const;

describe('barLine', () => {
  it('shows the phase, percent, bytes per second and the time left', () => {
    expect(barLine(state, 100)).toBe(
      'Archiving          [========                      ]  25 %  50.0 MiB  10.0 MiB/s  15.0 s left',
    );
  });

  it('shows no time left before there is a speed, and no percent without a total', () => {
    expect(barLine({ ...state, milliseconds: 100 }, 79)).toMatch(/25 % {2}50\.0 MiB$/);
    expect(barLine({ ...state, total: undefined }, 79)).toBe('Archiving          50.0 MiB  10.0 MiB/s');
  });

  it('stays at 100 percent where more comes than was estimated', () => {
    expect(barLine({ ...state, total: 1 }, 79)).toContain('100 %');
  });

  it('fits any terminal', () => {
    for (const width of [0, 1, 20, 40, 60, 79, 200])
      expect(stringWidth(barLine(state, width))).toBeLessThanOrEqual(width);
  });
});
