// Lint rules. The layering of the source folders is enforced here, not by hope.
import { defineConfig } from 'eslint/config';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

const source = ['**/*.ts', '**/*.mts', '**/*.svelte'];
const configFiles = ['*.config.ts', '*.config.mts', '*.config.mjs'];

const noDefaultExport = {
  'no-restricted-exports': [
    'error',
    { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } },
  ],
};

/** Everything Electron offers but `ipcMain`, whose only user is the router. */
const ipcOnlyInRouter = {
  name: 'electron',
  importNames: ['ipcMain'],
  message: 'Only src-main/ipc/router.ts registers handlers: add the call to the contract instead.',
};

const bridgeAccess = {
  selector:
    "MemberExpression[object.name=/^(window|globalThis|self)$/][property.name='secateur'], MemberExpression[object.name=/^(window|globalThis|self)$/][property.value='secateur']",
  message: 'Only src-renderer/api.ts touches the bridge.',
};

const clockOrDice = ['Date', 'Math'].map((object) => ({
  object,
  property: object === 'Date' ? 'now' : 'random',
  message: 'The engine is repeatable: take the time or the random numbers as an argument.',
}));

export default defineConfig(
  {
    ignores: [
      'node_modules/',
      'out/',
      'dist/',
      'test-results/',
      'resources/sample/',
      'test/fixtures/',
      'test/setup/fixtures/',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  ...ts.configs.strict.map((config) => ({ ...config, files: source })),
  ...svelte.configs.recommended,
  {
    files: source,
    languageOptions: { globals: globals.node },
    rules: {
      ...noDefaultExport,
      eqeqeq: 'error',
      'no-console': 'error',
      'prefer-const': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      // The contract says `reply: void` for a call that answers nothing.
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
    },
  },
  {
    // Rules that need types: promises that nobody awaits, and unions that a switch forgot.
    files: ['**/*.ts'],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { globals: globals.browser, parserOptions: { parser: ts.parser } },
  },
  {
    // Props are taken apart with `let` as soon as one of them can be bound.
    files: ['**/*.svelte'],
    rules: { 'prefer-const': 'off', 'svelte/prefer-const': ['error', { destructuring: 'all' }] },
  },

  // Layers of the main side.
  {
    files: ['src-main/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: [ipcOnlyInRouter],
          patterns: [
            { regex: 'src-renderer', message: 'The main side never depends on the renderer.' },
          ],
        },
      ],
    },
  },
  {
    files: ['src-main/ipc/router.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': 'off' },
  },
  {
    files: ['src-main/engine/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(electron|sqlite3|electron-log)(/|$)',
              message: 'The engine runs without Electron and without a database.',
            },
            {
              regex: '^\\.\\.?/(.*/)?(project|jobs|ipc|security|preload|src-renderer)(/|$)',
              message: 'The engine is the innermost layer: it imports nothing from around it.',
            },
          ],
        },
      ],
      'no-restricted-globals': ['error', 'window', 'document', 'navigator', 'localStorage'],
      'no-restricted-properties': ['error', ...clockOrDice],
      // Numeric loops read typed arrays at indices that they have just bounded.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },

  // The renderer sees the main side as types only, and the bridge through one file.
  {
    files: ['src-renderer/**/*.ts', 'src-renderer/**/*.svelte'],
    languageOptions: { globals: globals.browser },
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(electron|node:|fs$|path$)',
              message: 'The page has no Node and no Electron.',
            },
            {
              regex: 'src-main/(?!ipc/|engine/|project/types$|jobs/types$)',
              message:
                'The page knows the contract (src-main/ipc) and the types that it names only.',
            },
            {
              // The catalogue of formats is data alone, and its imports none.
              regex: 'src-main/(ipc/|engine/(?!formats/catalogue$)|project/types$|jobs/types$)',
              allowTypeImports: true,
              message: 'Import types only: the main side must not be bundled into the page.',
            },
          ],
        },
      ],
      'no-restricted-syntax': ['error', bridgeAccess],
    },
  },
  { files: ['src-renderer/api.ts'], rules: { 'no-restricted-syntax': 'off' } },
  {
    // The hidden page that trains on the GPU runs the engine's steps, and nothing else of the app.
    files: ['src-renderer/gpu/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(electron|node:|fs$|path$)',
              message: 'The page has no Node and no Electron.',
            },
            {
              regex: 'src-main/(?!engine/(runtime|train)/)',
              message: "The page that computes knows the engine's steps only.",
            },
            {
              regex: 'src-main/engine/runtime/backend$',
              allowTypeImports: true,
              message: 'It loads backends of Node.',
            },
          ],
        },
      ],
    },
  },

  // Terminal programs talk on the console; tests reach into results that they have just checked.
  {
    files: ['src-main/cli.ts', 'src-main/cli/**/*.ts', 'test/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },

  // Plain JavaScript: the scripts that run before anything is installed.
  {
    files: ['scripts/**/*.mjs', '*.mjs'],
    languageOptions: { globals: globals.node, ecmaVersion: 2024, sourceType: 'module' },
    rules: {
      eqeqeq: 'error',
      'no-undef': 'error',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-var': 'error',
      'prefer-const': 'error',
    },
  },
  { files: ['scripts/**/*.mjs'], rules: noDefaultExport },
  { files: configFiles, rules: { 'no-restricted-exports': 'off' } },
);
