import { describe, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import { isNodeRecentEnough } from '../../../broker/launch/install.mjs';

describe('the version of Node.js that Halfkey asks for', () => {
  it.each([
    ['18.20.8', false],
    ['20.18.3', false],
    ['20.19.0', true],
    ['20.20.2', true],
    ['21.7.3', false],
    ['22.11.0', false],
    ['22.12.0', true],
    ['23.0.0', true],
    ['24.4.1', true],
    ['100.0.0', true],
  ])('of %s says %s', (version, expected) => {
    expect(isNodeRecentEnough(version)).toBe(expected);
  });

  it('is what package.json tells npm', () => {
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
    expect(engines.node).toBe('^20.19.0 || >=22.12.0');
  });
});
