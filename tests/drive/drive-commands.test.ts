import { beforeEach, expect, it } from 'vitest';
import { driveCommands, type SignedInDrive } from '../../src/lib/drive/drive-commands.ts';
import { View, type Drive } from '../../src/lib/drive/view.ts';
import { HalfkeyError } from '../../src/lib/errors.ts';
import { refusalCode } from '../crypto/refusal.ts';
import { enrolDevice, newWorld, openJournal } from '../journal/world.ts';

let heard: string[];
let renames: (file: string, name: string) => Promise<void>;

beforeEach(() => {
  heard = [];
  renames = (file, name) => Promise.resolve(void heard.push(`${file} → ${name}`));
});

async function commands() {
  const world = await newWorld();
  await enrolDevice(world, 2);
  const journal = await openJournal(world);
  const changes = { rename: (file: string, name: string) => renames(file, name) };
  return driveCommands(
    new View(
      () => undefined,
      () => 'no',
    ),
    {
      drive: () => ({ journal, changes }) as unknown as Drive,
      device: () => world.first.id,
      sync: () => heard.push('sync'),
    } as unknown as SignedInDrive,
  );
}

it('sends a new name on its way as soon as it rests on this device', async () => {
  await (await commands())['file/rename']({ file: 'f', name: 'b' });
  expect(heard).toEqual(['f → b', 'sync']);
});

it('sends nothing where the name could not be kept', async () => {
  renames = () => Promise.reject(new HalfkeyError('device_full', 'no room'));
  const { 'file/rename': rename } = await commands();
  expect(await refusalCode(Promise.resolve(rename({ file: 'f', name: 'b' })))).toBe('device_full');
  expect(heard).toEqual([]);
});

it('tells the page the names of the other devices, and nothing else of them', async () => {
  expect(await (await commands())['who/read']({})).toEqual({ otherDevices: ['Phone'] });
});
