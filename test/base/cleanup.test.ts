import { describe, expect, it } from 'vitest';
import { withCleanup } from '../../src/base/cleanup.js';

const failing = (text: string) => (): Promise<void> => Promise.reject(new Error(text));

describe('withCleanup', () => {
  it('undoes in reverse order, one after the other, and gives the result', async () => {
    const done: string[] = [];
    const slowly = (name: string) => async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      done.push(name);
    };
    const result = await withCleanup(async (cleanup) => {
      cleanup.defer(slowly('first'));
      cleanup.defer(() => void done.push('second'));
      cleanup.defer(slowly('third'));
      return 'result';
    });
    expect(result).toBe('result');
    expect(done).toEqual(['third', 'second', 'first']);
  });

  it('gives a result that is undefined', async () => {
    await expect(withCleanup(async () => undefined)).resolves.toBeUndefined();
  });

  it('undoes after a failure too, and throws that very failure', async () => {
    const cause = new Error('cause');
    let undone = false;
    const work = withCleanup(async (cleanup) => {
      cleanup.defer(() => void (undone = true));
      throw cause;
    });
    await expect(work).rejects.toBe(cause);
    expect(cause.message).toBe('cause');
    expect(undone).toBe(true);
  });

  it('throws what is no error as it is', async () => {
    const thrown: unknown = 'text';
    await expect(withCleanup(() => Promise.reject(thrown as Error))).rejects.toBe('text');
    await expect(withCleanup(() => Promise.reject(undefined as unknown as Error))).rejects.toBeUndefined();
  });

  it('goes on undoing where one undo fails, and tells all failures on the cause', async () => {
    const cause = new Error('cause');
    const done: string[] = [];
    const work = withCleanup(async (cleanup) => {
      cleanup.defer(() => void done.push('first'));
      cleanup.defer(failing('cannot close'));
      cleanup.defer(() => void done.push('second'));
      cleanup.defer(failing('cannot remove'));
      throw cause;
    });
    await expect(work).rejects.toBe(cause);
    expect(cause.message).toBe('cause (and while cleaning up: cannot remove; cannot close)');
    expect(done).toEqual(['second', 'first']);
  });

  it('does not hide a cause whose message cannot be changed', async () => {
    const aborted = new AbortController();
    aborted.abort();
    const fixed = Object.freeze(new Error('frozen'));
    for (const cause of [aborted.signal.reason as Error, fixed]) {
      const work = withCleanup((cleanup) => {
        cleanup.defer(failing('cannot close'));
        return Promise.reject(cause);
      });
      await expect(work).rejects.toBe(cause);
    }
  });

  it('fails where only the cleaning up failed', async () => {
    const one = withCleanup(async (cleanup) => {
      cleanup.defer(failing('cannot close'));
      return 'result';
    });
    await expect(one).rejects.toThrow('cannot close');
    const two = withCleanup(async (cleanup) => {
      cleanup.defer(failing('cannot close'));
      cleanup.defer(failing('cannot remove'));
      return 'result';
    });
    const failure = await two.catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AggregateError);
    expect((failure as AggregateError).errors.map(String)).toEqual(['Error: cannot remove', 'Error: cannot close']);
  });

  it('undoes what is deferred while undoing', async () => {
    const done: string[] = [];
    await withCleanup(async (cleanup) => {
      cleanup.defer(() => {
        done.push('outer');
        cleanup.defer(() => void done.push('inner'));
      });
    });
    expect(done).toEqual(['outer', 'inner']);
  });
});
