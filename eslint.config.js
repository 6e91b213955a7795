import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

// Each of these belongs to one folder of src: elsewhere it would be a way around a key, a store or a network rule.
const ROOMS = [
  { folder: 'src/lib/crypto', properties: [{ object: 'crypto', property: 'subtle' }], globals: [] },
  {
    folder: 'src/lib/store',
    properties: [{ object: 'navigator', property: 'storage' }],
    globals: ['indexedDB', 'caches'],
  },
  {
    folder: 'src/lib/remote',
    properties: [],
    globals: ['fetch', 'XMLHttpRequest', 'EventSource', 'WebSocket'],
  },
];

const others = (/** @type {string} */ folder) => ROOMS.filter((room) => room.folder !== folder);
/** @returns {import('eslint').Linter.RulesRecord} */
const restrict = (/** @type {typeof ROOMS} */ rooms) => ({
  'no-restricted-properties': [
    'error',
    ...rooms.flatMap((room) =>
      room.properties.map((property) => ({ ...property, message: `only ${room.folder} names it` })),
    ),
  ],
  'no-restricted-globals': [
    'error',
    ...rooms.flatMap((room) =>
      room.globals.map((name) => ({ name, message: `only ${room.folder} names it` })),
    ),
  ],
});

export default ts.config(
  { ignores: ['.svelte-kit', 'build', 'dist', 'data', 'test-results', 'node_modules'] },
  js.configs.recommended,
  ...ts.configs.strictTypeChecked,
  ...ts.configs.stylisticTypeChecked,
  ...svelte.configs.recommended,
  {
    languageOptions: {
      globals: { ...globals.browser, ...globals.node },
      parserOptions: {
        projectService: { allowDefaultProject: ['.dependency-cruiser.mjs'] },
        extraFileExtensions: ['.svelte'],
      },
    },
    rules: {
      'no-undef': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // `void` is what a command answers that answers nothing.
      '@typescript-eslint/no-invalid-void-type': 'off',
      'svelte/no-at-html-tags': 'error',
      'svelte/no-navigation-without-resolve': 'off',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
  },
  { files: ['src/**/*.{ts,svelte}'], rules: restrict(ROOMS) },
  ...ROOMS.map((room) => ({ files: [`${room.folder}/**/*.ts`], rules: restrict(others(room.folder)) })),
  { files: ['src/service-worker/**/*.ts'], rules: { 'no-restricted-globals': 'off' } },
  { files: ['tests/**'], rules: { '@typescript-eslint/no-non-null-assertion': 'off' } },
);
