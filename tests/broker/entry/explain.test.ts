import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { explainStart } from '../../../broker/entry/explain.ts';
import { StartRefused } from '../../../broker/domain/start-refused.ts';
import { freePort } from '../../support/free-port.ts';

const failure = (code: string, more: object = {}) =>
  Object.assign(new Error(`${code}: with a secret in it`), { code, ...more });
const PLACE = { ports: [8787], dataFolder: '/srv/halfkey' };

describe('why a start failed', () => {
  it('is what a refusal of ours says', async () => {
    expect(await explainStart(new StartRefused('setup_lost', 'it is gone'), PLACE)).toBe(
      'setup_lost: it is gone',
    );
  });

  it.each(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'])(
    'names a folder that cannot be written to: %s',
    async (code) => {
      expect(await explainStart(failure(code), PLACE)).toBe(
        `data_unwritable: this user cannot write to the data folder /srv/halfkey: change its owner, or choose another folder with HALFKEY_DATA`,
      );
    },
  );

  it.each(['ENOSPC', 'EDQUOT'])('names a full disk: %s', async (code) => {
    expect(await explainStart(failure(code), PLACE)).toBe(
      'disk_full: the disk that holds /srv/halfkey is full: free some space and try again',
    );
  });

  it('names who holds the port', async () => {
    const port = await freePort();
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    expect(await explainStart(failure('EADDRINUSE'), { ports: [port], dataFolder: undefined })).toContain(
      `port_taken: port ${String(port)} is taken by another program`,
    );
    server.close();
  });

  it('tells a port that was taken and is free again', async () => {
    const port = await freePort();
    expect(await explainStart(failure('EADDRINUSE'), { ports: [port], dataFolder: undefined })).toBe(
      `port_taken: port ${String(port)} was taken a moment ago: try again`,
    );
  });

  it('tells a port that this user may not have from a folder', async () => {
    expect(await explainStart(failure('EACCES', { syscall: 'listen' }), PLACE)).toMatch(
      /^port_refused: .* port 8787/,
    );
  });

  it('repeats the code of anything else, and not its message', async () => {
    expect(await explainStart(failure('ECONNREFUSED'), PLACE)).toBe('ECONNREFUSED: cannot start');
    expect(await explainStart(new TypeError('with a secret in it'), PLACE)).toBe('TypeError: cannot start');
    expect(await explainStart('with a secret in it', PLACE)).toBe('unknown failure: cannot start');
  });
});
