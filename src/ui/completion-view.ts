import type { CompletionSummary } from './json-lines/completion.js';
import type { RunEnd } from './json-lines/run.js';
import type { View } from './output.js';

/** A script, or lines that a script asks for. */
export function completionView(text: string, end: RunEnd): View {
  return {
    findings: [],
    allFindings: '',
    isAnswer: true,
    text: () => (text === '' ? [] : text.replace(/\n$/, '').split('\n')),
    json: () => [completionSummary(text, end)],
  };
}

function completionSummary(text: string, end: RunEnd): CompletionSummary {
  return {
    type: 'summary',
    command: 'completion',
    id: null,
    file: null,
    sha256: null,
    complete: null,
    verified: null,
    ...end,
    text,
  };
}
