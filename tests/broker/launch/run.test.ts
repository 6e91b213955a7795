import { describe, expect, it } from 'vitest';
import { causeOf } from '../../../broker/launch/run.mjs';

// As npm and Vite print them.
const NPM_OFFLINE = `npm error code ENOTFOUND
npm error syscall getaddrinfo
npm error network request to https://registry.example/vite failed, reason: getaddrinfo ENOTFOUND registry.example`;
const NPM_FULL = `npm error code ENOSPC
npm error syscall write
npm error ENOSPC: no space left on device, write`;
const VITE_FULL = `error during build:
Error: ENOSPC: no space left on device, open 'build/app.html'`;
const NPM_READ_ONLY = `npm error code EACCES
npm error syscall mkdir
npm error path /srv/halfkey/node_modules`;
const BUILD_ERROR = `[PARSE_ERROR] Unexpected token
 3 │ const = 4;`;

describe('the output of a tool that failed', () => {
  it.each([
    ['no network', NPM_OFFLINE, 'the npm registry cannot be reached'],
    ['a full disk while installing', NPM_FULL, 'the disk is full'],
    ['a full disk while building', VITE_FULL, 'the disk is full'],
    ['a folder that may not be written to', NPM_READ_ONLY, 'may not write to'],
  ])('names its cause: %s', (_, output, sentence) => {
    expect(causeOf(output)).toContain(sentence);
  });

  it('has no such cause where the tool itself is right to complain', () => {
    expect(causeOf(BUILD_ERROR)).toBeUndefined();
  });
});
