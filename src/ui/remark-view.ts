import { finding, type FindingId } from '../manifest/findings.js';
import { findingLine } from './findings-view.js';
import type { View } from './output.js';

/** One thing to know beside a command's answer; about no archive. */
export function remarkView(id: FindingId, message: string): View {
  return {
    findings: [],
    allFindings: '',
    remark: message,
    isAnswer: false,
    text: () => [],
    json: () => [findingLine(finding(id, message), undefined)],
  };
}
