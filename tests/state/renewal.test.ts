import './runes.ts';
import { describe, expect, it } from 'vitest';
import { HalfkeyError } from '../../src/lib/errors.ts';
import type { KitPart } from '../../src/lib/protocol/credentials.ts';
import { Renewal } from '../../src/lib/state/renewal.svelte.ts';
import { toldWorker } from './told-worker.ts';

const unreachable = () => Promise.reject(new HalfkeyError('broker_unreachable', 'no answer'));

describe('the note about a kit that nobody has kept', () => {
  it('is gone once somebody has said that it is kept, or its reader is signed out', async () => {
    const { worker } = toldWorker({ 'kit/read': () => ({ unkept: ['words'] as KitPart[] }) });
    const renewal = new Renewal(worker);
    await renewal.readKit();
    expect(renewal.unkept).toEqual(['words']);
    await renewal.keepKit('words');
    expect(renewal.unkept).toEqual([]);
    await renewal.readKit();
    renewal.clear();
    expect(renewal.unkept).toEqual([]);
  });

  it('stays when that could not be written down', async () => {
    const { worker } = toldWorker({
      'kit/read': () => ({ unkept: ['words'] as KitPart[] }),
      'kit/kept': unreachable,
    });
    const renewal = new Renewal(worker);
    await renewal.readKit();
    await expect(renewal.keepKit()).rejects.toMatchObject({ code: 'broker_unreachable' });
    expect(renewal.unkept).toEqual(['words']);
  });

  it('is what the device says of it once new words or codes count', async () => {
    let unkept: KitPart[] = ['words', 'backup-codes'];
    const { worker } = toldWorker({
      'kit/read': () => ({ unkept }),
      'renewal/accept': () => {
        unkept = ['words'];
      },
    });
    const renewal = new Renewal(worker);
    await renewal.readKit();
    await renewal.accept();
    expect(renewal.unkept).toEqual(['words']);
  });
});

it('counts new words as accepted although the note about them cannot be read', async () => {
  const renewal = new Renewal(toldWorker({ 'kit/read': unreachable }).worker);
  await expect(renewal.accept()).resolves.toBeUndefined();
});

it('says so when new words do not count, and asks nothing about the note then', async () => {
  const { worker, sent } = toldWorker({ 'renewal/accept': unreachable });
  await expect(new Renewal(worker).accept()).rejects.toMatchObject({ code: 'broker_unreachable' });
  expect(sent).toEqual([['renewal/accept', {}]]);
});
