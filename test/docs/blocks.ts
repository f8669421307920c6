export interface Block {
  readonly language: string;
  readonly lines: readonly string[];
}

/** The blocks of a page that have a language, in their order. */
export const blocksOf = (text: string): readonly Block[] =>
  [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, language = '', body = '']) => ({
    language,
    lines: body.trimEnd().split('\n'),
  }));

/** What is typed: all of a block of `sh`, of a block of `console` what is behind a `$`. */
export const typedIn = ({ language, lines }: Block): readonly string[] => {
  if (language === 'sh') return lines;
  return language === 'console' ? lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2)) : [];
};

/** Commands of a crontab, which a block of `console` may show as output. */
export const cronLine = /^\s*(?:[\d*/,-]+ ){5}\S+ (?=\S+\/bkp\.js )/;
