import { beforeAll, describe, expect, it } from 'vitest';
import { otherDevices } from '../../src/lib/drive/other-devices.ts';
import {
  certifiedDevice,
  enrolment,
  newWorld,
  NOW_MS,
  openJournal,
  type TestDevice,
  type World,
} from '../journal/world.ts';

let world: World;
let [phone, tablet, stolen]: string[] = [];

beforeAll(async () => {
  world = await newWorld();
  const made: TestDevice[] = [];
  for (const number of [2, 3, 4]) made.push(await certifiedDevice(world.identity, number));
  [phone, tablet, stolen] = made.map(({ id }) => id);
  const journal = await openJournal(world);
  await journal.appendByIdentity(
    world.identity.privateKey,
    ['Phone', 'Tablet', 'Stolen'].map((name, index) => enrolment(made[index]!, name)),
  );
  await journal.revoke(world.identity.privateKey, { device: stolen! });
  await (await openJournal(world, made[0])).heartbeat(0);
});
const others = async (own: string) => otherDevices((await openJournal(world)).state, own);

describe('the other devices', () => {
  it('are those that were enrolled and not revoked, in that order, each with when it was heard of', async () => {
    expect(await others(world.first.id)).toEqual([
      { device: phone, name: 'Phone', lastHeardMs: NOW_MS },
      { device: tablet, name: 'Tablet' },
    ]);
  });

  it('are others for another one', async () => {
    expect((await others(tablet!)).map(({ name }) => name)).toEqual(['Laptop', 'Phone']);
  });
});
