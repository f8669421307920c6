import { describe, expect, it } from 'vitest';
import { PromptDisk } from '../../src/fs/prompt-disk.js';

/** Each question takes so many milliseconds of a clock that only they move. */
function asked(times: readonly number[]): PromptDisk {
  let now = 0;
  const disk = new PromptDisk({ monotonic: () => now });
  for (const milliseconds of times) disk.ask(() => (now += milliseconds));
  return disk;
}

const times = (count: number, milliseconds: number): readonly number[] =>
  Array.from({ length: count }, () => milliseconds);

describe('a disk that is asked on this thread', () => {
  it('gives its answers, and its failures', () => {
    const disk = new PromptDisk();
    expect(disk.ask(() => 7)).toBe(7);
    expect(() =>
      disk.ask(() => {
        throw new RangeError('no');
      }),
    ).toThrow(RangeError);
  });

  it('stays prompt while it answers from memory, for as long as that goes', () => {
    expect(asked([]).isPrompt).toBe(true);
    expect(asked(times(100_000, 0.02)).isPrompt).toBe(true);
  });

  it('may hesitate now and then', () => {
    expect(asked([40]).isPrompt).toBe(true);
    expect(asked([...times(1000, 0.02), 60, 60]).isPrompt).toBe(true);
  });

  it('is not prompt where each answer has to be waited for', () => {
    expect(asked(times(7, 8)).isPrompt).toBe(false);
    expect(asked(times(51, 1)).isPrompt).toBe(false);
    expect(asked([5000]).isPrompt).toBe(false);
  });
});
