import { parseEntryPath } from '../base/entry-path.js';
import { BkpError } from '../base/errors.js';
import { excludeMatcher } from '../fs/globs.js';
import type { CreateRequest } from './create-request.js';
import type { Source } from './source.js';

type Selection = Pick<CreateRequest, 'sources' | 'others' | 'leftOut' | 'excludes'>;

/**
 * A glob may name a whole source, a database above all: it is then left out by choice, and the manifest says so. Throws
 * `usage` where none is left.
 */
export function withoutExcluded<Request extends Selection>(request: Request): Request {
  const matches = excludeMatcher(request.excludes);
  const isExcluded = ({ name, type }: Source): boolean => matches(parseEntryPath(name), type !== 'sqlite');
  const excluded = request.sources.filter(isExcluded).map(({ name }) => name);
  if (excluded.length === 0) return request;
  if (excluded.length === request.sources.length) {
    throw new BkpError('usage', `nothing is left to back up: the globs leave out ${excluded.join(', ')}`, {
      hint: 'Check --exclude and the key `exclude` of the configuration.',
    });
  }
  const sources = request.sources.filter((source) => !isExcluded(source));
  const others = [...(request.others ?? []), ...request.sources.filter(isExcluded)];
  return { ...request, sources, others, leftOut: [...request.leftOut, ...excluded] };
}
