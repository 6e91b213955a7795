import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
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

export default defineConfig(
  {
    ignores: [
      '.svelte-kit',
      'build',
      'dist',
      'docs/api',
      'release',
      'data',
      'test-results',
      'node_modules',
      'static',
      '.dependency-cruiser.mjs',
    ],
  },
  js.configs.recommended,
  ...ts.configs.strictTypeChecked,
  ...ts.configs.stylisticTypeChecked,
  ...svelte.configs.recommended,
  {
    languageOptions: {
      globals: { ...globals.browser, ...globals.node },
      parserOptions: {
        projectService: true,
        extraFileExtensions: ['.svelte'],
      },
    },
    rules: {
      'no-undef': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', ignoreUsingDeclarations: true },
      ],
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
  {
    // State holds maps as they are: one that is shown is replaced as a whole, the others are not shown.
    files: ['**/*.svelte.ts'],
    rules: { 'svelte/prefer-svelte-reactivity': 'off' },
  },
  {
    // ESLint's parser takes every component, and what it calls back with, for `any`; svelte-check knows their types.
    files: ['**/*.svelte'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-redundant-type-constituents': 'off',
      '@typescript-eslint/restrict-plus-operands': 'off',
    },
  },
  { files: ['src/**/*.{ts,svelte}'], rules: restrict(ROOMS) },
  ...ROOMS.map((room) => ({ files: [`${room.folder}/**/*.ts`], rules: restrict(others(room.folder)) })),
  { files: ['src/service-worker/**/*.ts'], rules: { 'no-restricted-globals': 'off' } },
  { files: ['tests/**'], rules: { '@typescript-eslint/no-non-null-assertion': 'off' } },
);
