import { displayName } from '../fs/display-name.js';
import type { Proposal, ProposedSource } from '../policy/proposal.js';
import { controlCharacter } from './path-rules.js';

export interface FileContent {
  readonly proposal: Proposal;
  /** The root is a CMS of this layout: its default sources are named. */
  readonly cmsSources: readonly string[];
  readonly instance: string;
  /** As the file is to have it; undefined: the default, which is not written. */
  readonly storage: string | undefined;
  /** For comments. */
  readonly formatBytes: (bytes: number) => string;
}

/** The text of a configuration in YAML, with comments. Whatever names it is given, it says just these keys and values. */
export function composeFile(content: FileContent): string {
  const { proposal, cmsSources, instance, storage } = content;
  const { applications, sources } = proposal;
  const what = cmsSources.length > 0 ? ['the CMS', ...applications] : applications;
  const forWhat = what.length === 0 ? '' : ` for ${what.join(' and ')}`;
  const head = [
    [
      ...comments(`Configuration of bkp, made by \`bkp init\`${forWhat}. docs/configuration.md describes every key.`),
      '# Only you (or root) may be able to write this file.',
    ],
    canBeInstance(instance)
      ? ['# How this installation is called in archives and lists.', `instance: ${scalar(instance)}`]
      : [],
    storage === undefined ? [] : [...comments(storageComment), `storage: ${path(storage)}`],
    ['# What is backed up.', 'sources:'],
  ];
  const entries = [cmsLines(cmsSources), ...sources.map((source) => sourceLines(source, content))];
  const indented = entries.map((lines) => lines.map((line) => `  ${line}`));
  return `${[`${blocks(head)}\n${blocks(indented)}`, ...notes(proposal)].join('\n\n')}\n`;
}

const storageComment = 'Where the archives go. On another disk than the data, one accident cannot take both.';

/** An empty line between each two; those without lines are left out. */
const blocks = (all: readonly (readonly string[])[]): string =>
  all
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');

/** The rule of the key; any other name of a folder is taken from there at each run. */
const canBeInstance = (name: string): boolean =>
  name.trim() !== '' && name.length <= 200 && !controlCharacter.test(name) && name.isWellFormed();

const cmsComment =
  'The sources of the CMS: known without this file, named so that one that is missing is told. Fields given here change theirs.';

function cmsLines(names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  return [...comments(cmsComment), ...names.map((name) => `${scalar(name)}: {}`)];
}

function sourceLines(source: ProposedSource, { formatBytes }: FileContent): readonly string[] {
  const { name, type, scope, enabled, about } = source;
  const head = [`${scalar(name)}:`, `  type: ${type}`];
  const off = enabled ? [] : ['  enabled: false'];
  switch (type) {
    case 'sqlite': {
      const { bytes, journalMode } = source.database;
      const mode = journalMode === 'wal' ? 'WAL' : 'rollback journal: who writes waits while it is copied';
      const why = about === '' ? '' : ` Off: ${about}.`;
      return [
        ...comments(`SQLite, ${formatBytes(bytes)}, ${mode}.${why}`),
        ...head,
        `  path: ${path(source.path)}`,
        ...off,
      ];
    }
    case 'directory':
      return [
        ...comments(about),
        ...head,
        `  path: ${path(source.path)}`,
        ...(scope === name ? [] : [`  scope: ${scalar(scope)} ${comment(`left out by --no-${scope}`)}`]),
        ...off,
        ...(source.exclude.length === 0 ? [] : ['  exclude:']),
        ...source.exclude.map(({ glob, why }) => `    - ${scalar(glob)} ${comment(why)}`),
      ];
    case 'files':
      return [
        ...comments(about),
        ...head,
        `  scope: ${scalar(scope)}`,
        ...off,
        '  paths:',
        ...source.paths.map((file) => `    - ${scalar(file)}`),
      ];
  }
}

function notes({ advice, unnamed, uncovered }: Proposal): readonly string[] {
  const some = (names: readonly string[]): string =>
    [...names.slice(0, 20), ...(names.length > 20 ? [`and ${names.length - 20} more`] : [])].join(', ');
  return [
    ...advice.map(commentText),
    ...(unnamed.length === 0
      ? []
      : [commentText(`Databases in no backup, which could not be named: ${some(unnamed)}`)]),
    ...(uncovered.length === 0 ? [] : [commentText(`In no backup: ${some(uncovered)}. Add what of it holds data.`)]),
  ];
}

/** What no line of a YAML file can hold as it is, beside control characters, and what turns the direction of the others. */
const unprintable = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]|\p{Surrogate}/gu;
const escaped = (text: string): string =>
  text.replace(unprintable, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Names in it may hold line ends: what follows one would be a line of the configuration. */
const comment = (text: string): string => `# ${escaped(displayName(text))}`;

/** The same as lines that a terminal of 80 columns does not break, also where they are indented. */
function comments(text: string): readonly string[] {
  return comment(text)
    .replace(/(.{1,76})(?: |$)/gy, '$1\n')
    .trimEnd()
    .split('\n')
    .map((line, at) => (at === 0 ? line : `# ${line}`));
}

const commentText = (text: string): string => comments(text).join('\n');

/** Neither a number nor a word that YAML takes for something else. */
const plain = /^(?!(?:true|false|null|yes|no|on|off|y|n)$)(?:[a-z_/]|\.(?![\d_]))[\w./*-]*$/i;

function scalar(text: string): string {
  return plain.test(text) && !/^\.(?:inf|nan)$/i.test(text) ? text : escaped(JSON.stringify(text));
}

/** One that begins with `~` would be refused, as a shell's word for a home folder. */
const path = (text: string): string => scalar(text.startsWith('~') ? `./${text}` : text);
