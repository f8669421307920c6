import { describe, expect, it } from 'vitest';
import { JsonOutput, jsonText } from '../../src/ui/json-output.js';
import { BkpError } from '../../src/base/errors.js';

function recorded() {
  let now = 1000;
  const lines: { type: string; phase?: string; bytes?: number }[] = [];
  const diverted: { type: string }[] = [];
  const clock = { now: () => 0, monotonic: () => now };
  const into = (list: { type: string }[]) => (text: string) => list.push(JSON.parse(text) as { type: string });
  const output = new JsonOutput(into(lines), into(diverted), clock);
  return { output, lines, diverted, pass: (milliseconds: number) => (now += milliseconds) };
}

describe('JsonOutput', () => {
  it('tells progress at most four times a second, and loses none of it', () => {
    const { output, lines, pass } = recorded();
    output.progress.start('scan');
    output.progress.start('archive', 1000);
    for (let n = 0; n < 100; n++) {
      pass(10);
      output.progress.advance(10, 'a');
    }
    expect(lines.length).toBeLessThanOrEqual(5);
    expect(lines.at(-1)).toMatchObject({
      type: 'progress',
      phase: 'archive',
      bytes: 1000,
      totalBytes: 1000,
      path: 'a',
    });
  });

  it('has every field of an error', () => {
    const { output, lines } = recorded();
    output.fail(new BkpError('no-space', 'two\nlines'), undefined);
    const nothing = { hint: null, path: null, stack: null };
    expect(lines).toEqual([{ type: 'error', id: 'no-space', message: 'two\nlines', exitCode: 13, ...nothing }]);
  });

  it('begins with start, and tells that elsewhere too where it is diverted before the next line', () => {
    const start = { command: 'create', version: '1', dryRun: false };
    const straight = recorded();
    straight.output.start(start);
    straight.output.step('instance', 'x');
    expect(straight.lines.map(({ type }) => type)).toEqual(['start', 'step']);
    expect(straight.diverted).toEqual([]);
    const { output, lines, diverted } = recorded();
    output.start(start);
    output.divert();
    output.step('instance', 'x');
    output.fail(new BkpError('interrupted', 'x'), undefined);
    expect(lines).toEqual([]);
    expect(diverted.map(({ type }) => type)).toEqual(['start', 'step', 'error']);
  });
});

describe('jsonText', () => {
  it('escapes what JSON would leave to act on a terminal, and stays the same value', () => {
    const line = { type: 'step', time: '', id: 'x', message: 'a\x1b\x9b\x7f\u2028ü🎈' } as const;
    const text = jsonText(line);
    expect(text).toContain('a\\u001b\\u009b\\u007f\\u2028ü🎈');
    expect(text.indexOf('\n')).toBe(text.length - 1);
    expect(JSON.parse(text)).toEqual(line);
  });
});
