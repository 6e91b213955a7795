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

/** What a page, a worker or Node.js has by itself, and is missing where the code runs. */
const NODE_ONLY = ['Buffer', 'process', 'global', 'require', 'setImmediate', '__dirname'];
const PAGE_ONLY = ['document', 'window', 'localStorage', 'sessionStorage', 'alert', 'confirm', 'matchMedia'];
/** What of src/lib runs in the page alone; all else runs in the worker. */
const IN_PAGE = ['platform/**', 'state/**', 'ui/**', 'worker/host.ts', 'worker/scripts.ts'];

/**
 * @param {typeof ROOMS} rooms which are elsewhere
 * @param {string[]} missing globals
 * @returns {import('eslint').Linter.RulesRecord}
 */
const restrict = (rooms, missing) => ({
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
    ...missing.map((name) => ({ name, message: 'not there where this runs' })),
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
        { argsIgnorePattern: '^_', ignoreRestSiblings: true, ignoreUsingDeclarations: true },
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
  { files: ['src/**/*.{ts,svelte}'], rules: restrict(ROOMS, NODE_ONLY) },
  {
    files: ['src/lib/**/*.ts'],
    ignores: IN_PAGE.map((path) => `src/lib/${path}`),
    rules: restrict(ROOMS, [...NODE_ONLY, ...PAGE_ONLY]),
  },
  ...ROOMS.map((room) => ({
    files: [`${room.folder}/**/*.ts`],
    rules: restrict(others(room.folder), [...NODE_ONLY, ...PAGE_ONLY]),
  })),
  {
    files: ['broker/**/*.ts'],
    rules: restrict([], [...PAGE_ONLY, 'navigator', 'indexedDB', 'caches', 'XMLHttpRequest']),
  },
  { files: ['src/service-worker/**/*.ts'], rules: { 'no-restricted-globals': 'off' } },
  { files: ['tests/**'], rules: { '@typescript-eslint/no-non-null-assertion': 'off' } },
);
