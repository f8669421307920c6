import js from '@eslint/js';
import tseslint from 'typescript-eslint';

// The layers, lowest first. A room imports from rooms below its own layer, or from itself: never upward, never sideways.
const layers = [
  ['base'],
  ['compress', 'fs'],
  ['archive', 'sqlite', 'storage', 'catalog', 'system'],
  ['policy', 'manifest'],
  ['operations'],
  ['config', 'ui'],
  ['commands'],
];

/** Rooms that `operations` and below must not know, although the order alone would not say so. */
const onlyForCommands = ['config', 'ui'];

const layerRules = layers.flatMap((rooms, height) =>
  rooms.flatMap((room) => {
    const above = layers.slice(height + 1).flat();
    const beside = rooms.filter((other) => other !== room);
    const forbidden = [...above, ...beside, ...(room === 'commands' ? [] : onlyForCommands.filter((r) => r !== room))];
    if (forbidden.length === 0) return [];
    return {
      files: [`src/${room}/**/*.ts`],
      rules: {
        'no-restricted-imports': [
          'error',
          {
            patterns: [
              {
                group: [...new Set(forbidden)].map((r) => `**/${r}/**`),
                message: `src/${room} may not import from there: the layers are in eslint.config.js.`,
              },
            ],
          },
        ],
      },
    };
  }),
);

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'fixtures/site', 'fixtures/archives', 'coverage'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.test.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      complexity: ['error', 16],
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'exit', message: 'Set process.exitCode in cli.ts.' },
        { object: 'Date', property: 'now', message: 'Time comes in through base/clock.ts.' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'Time comes in through base/clock.ts.',
        },
      ],
    },
  },
  { files: ['src/base/clock.ts'], rules: { 'no-restricted-properties': 'off', 'no-restricted-syntax': 'off' } },
  ...layerRules,
  {
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off', '@typescript-eslint/require-await': 'off' },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      ecmaVersion: 2024,
      sourceType: 'module',
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'Buffer',
          'URL',
          'performance',
          'setTimeout',
          'clearTimeout',
          'setInterval',
          'clearInterval',
        ].map((n) => [n, 'readonly']),
      ),
    },
  },
);
