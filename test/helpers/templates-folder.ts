import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** For `copyTemplate` of template.ts. */
    readonly templates: string;
  }
}

/** A folder that lives as long as a run of the tests. */
export default function provideTemplates(project: TestProject): () => void {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'bkp-templates-')));
  project.provide('templates', folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
