import './runes.ts';
import { describe, expect, it } from 'vitest';
import { HalfkeyError } from '../../src/lib/errors.ts';
import type { KitPart } from '../../src/lib/protocol/credentials.ts';
import { Credentials } from '../../src/lib/state/credentials.svelte.ts';
import { toldWorker } from './told-worker.ts';

const unreachable = () => Promise.reject(new HalfkeyError('broker_unreachable', 'no answer'));

describe('the note about a kit that nobody has kept', () => {
  it('is gone once somebody has said that it is kept, or its reader is signed out', async () => {
    const { worker } = toldWorker({ 'kit/read': () => ({ unkept: ['words'] as KitPart[] }) });
    const credentials = new Credentials(worker);
    await credentials.readKit();
    expect(credentials.unkept).toEqual(['words']);
    await credentials.keepKit('words');
    expect(credentials.unkept).toEqual([]);
    await credentials.readKit();
    credentials.clear();
    expect(credentials.unkept).toEqual([]);
  });

  it('stays when that could not be written down', async () => {
    const { worker } = toldWorker({
      'kit/read': () => ({ unkept: ['words'] as KitPart[] }),
      'kit/kept': unreachable,
    });
    const credentials = new Credentials(worker);
    await credentials.readKit();
    await expect(credentials.keepKit()).rejects.toMatchObject({ code: 'broker_unreachable' });
    expect(credentials.unkept).toEqual(['words']);
  });

  it('is what the device says of it once new words or codes count', async () => {
    let unkept: KitPart[] = ['words', 'backup-codes'];
    const { worker } = toldWorker({
      'kit/read': () => ({ unkept }),
      'credentials/accept': () => {
        unkept = ['words'];
      },
    });
    const credentials = new Credentials(worker);
    await credentials.readKit();
    await credentials.accept();
    expect(credentials.unkept).toEqual(['words']);
  });
});

it('counts new words as accepted although the note about them cannot be read', async () => {
  const credentials = new Credentials(toldWorker({ 'kit/read': unreachable }).worker);
  await expect(credentials.accept()).resolves.toBeUndefined();
});

it('says so when new words do not count, and asks nothing about the note then', async () => {
  const { worker, sent } = toldWorker({ 'credentials/accept': unreachable });
  await expect(new Credentials(worker).accept()).rejects.toMatchObject({ code: 'broker_unreachable' });
  expect(sent).toEqual([['credentials/accept', {}]]);
});
