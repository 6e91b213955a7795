import { expect, it } from 'vitest';
import { voidChanges } from '../../src/lib/drive/void-changes.ts';
import { voidWords } from '../../src/lib/ui/texts/en/void-changes.ts';
import { enrolDevice, idOf, newWorld, openJournal } from '../journal/world.ts';

it('tells who is named by what counts for nothing, and whether that is proven', async () => {
  const world = await newWorld();
  const phone = await enrolDevice(world, 2);
  const { state } = await openJournal(world);
  const voided = [
    { seq: 2, writer: phone.id, isSigned: true },
    { seq: 3, writer: phone.id, isSigned: true },
    { seq: 4, writer: phone.id, isSigned: false },
    { seq: 5, writer: idOf('device', 9), isSigned: false },
    { seq: 6, writer: undefined, isSigned: false },
  ];
  const changes = voidChanges(state, voided);
  expect(changes).toEqual([
    { device: 'Phone', isSigned: true, count: 2 },
    { device: 'Phone', isSigned: false, count: 1 },
    { isSigned: false, count: 1 },
    { isSigned: false, count: 1 },
  ]);
  expect(voidWords(changes.slice(0, 1))).toEqual({
    title: '2 changes were ignored',
    text: '2 came from “Phone”, which isn’t allowed to make changes, or sent something nobody can read. Your files are unchanged.',
  });
  expect(voidWords(changes.slice(1, 2))).toEqual({
    title: 'A change was ignored',
    text: 'One claimed to come from “Phone”, but somebody else wrote it. Your files are unchanged.',
  });
  expect(voidWords(changes.slice(2)).title).toBe('2 changes were ignored');
});
