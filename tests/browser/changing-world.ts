import type { Journal } from '../../src/lib/journal/journal.ts';
import { decodeOperations } from '../../src/lib/journal/entries/operation-codec.ts';
import { MAX_OPERATIONS } from '../../src/lib/journal/entries/operations.ts';
import { journalKey } from '../../src/lib/journal/entries/segment.ts';
import { openDatabase, type Database } from '../../src/lib/store/database.ts';
import { wipeDevice } from '../../src/lib/store/wipe.ts';
import * as edits from '../../src/lib/drive/edits.ts';
import { PendingChanges } from '../../src/lib/drive/pending-changes.ts';
import { MemoryCache } from '../journal/memory-remote.ts';
import {
  enrolDevice,
  fileAdd,
  idOf,
  newWorld,
  NOW_MS,
  openedSegment,
  openJournal,
  VAULT,
  type TestDevice,
  type World,
} from '../journal/world.ts';

/** Files that are there from the beginning, named "a" and "b". */
export const A = idOf('file', 1);
export const B = idOf('file', 2);

/** A tab of the first device. */
export interface Tab {
  readonly journal: Journal;
  readonly changes: PendingChanges;
}

/** A vault with two devices and two files; the first device changes them, with a real store. */
export class ChangingWorld {
  readonly #cache = new MemoryCache();
  #nowMs = NOW_MS;

  readonly world: World;
  readonly other: TestDevice;
  readonly database: Database;

  private constructor(world: World, other: TestDevice, database: Database) {
    this.world = world;
    this.other = other;
    this.database = database;
  }

  static async begin(): Promise<ChangingWorld> {
    const world = await newWorld();
    const other = await enrolDevice(world, 2);
    await (await openJournal(world, other)).append(() => [fileAdd(1, 'a'), fileAdd(2, 'b')]);
    return new ChangingWorld(world, other, await openDatabase(() => undefined));
  }

  async end(): Promise<void> {
    this.online();
    await wipeDevice(this.database);
  }

  /** What it has comes from the store and the device's copy of the journal. */
  async openTab(on: Database = this.database): Promise<Tab> {
    const { world } = this;
    const nowMs = () => this.#nowMs++;
    const journal = await openJournal(world, world.first, { cache: this.#cache, nowMs });
    const changes = await PendingChanges.open(
      { vault: VAULT, epoch: 0, vaultKey: world.vaultKey },
      {
        database: on,
        journal,
        device: world.first.id,
        nowMs,
        tell: () => undefined,
      },
    );
    return { journal, changes };
  }

  offline(): void {
    this.world.remote.faultOf = () => 'before';
  }

  online(): void {
    this.world.remote.faultOf = () => undefined;
  }

  /** Appends arrive, and nothing is heard of them. */
  deaf(): void {
    this.world.remote.faultOf = (request) => (request === 'append' ? 'after' : 'before');
  }

  async renameElsewhere(entry: string, name: string): Promise<void> {
    const journal = await openJournal(this.world, this.other);
    await journal.append(() => [{ kind: 'rename', entry, name }]);
  }

  /** All renames that were ever written, by any device. */
  async written(): Promise<string[]> {
    const key = await journalKey(VAULT, 0, this.world.vaultKey);
    const names: string[] = [];
    for (const [seq, bytes] of this.world.remote.log.entries()) {
      const { sequence } = await openedSegment(key, seq, bytes);
      const { operations } = decodeOperations(sequence, MAX_OPERATIONS);
      for (const operation of operations) if (operation.kind === 'rename') names.push(operation.name);
    }
    return names;
  }

  /** As another device sees it. */
  async finalName(entry: string): Promise<string | undefined> {
    return (await openJournal(this.world, this.other)).state.entry(entry)?.name;
  }

  /** What was given up and not heard of yet, "name: reason", as a tab that starts now sees it. */
  async dropped(): Promise<string[]> {
    const { changes } = await this.openTab();
    return changes.dropped.map(({ name, code }) => `${name}: ${code}`);
  }

  /** Changes that wait in the store. */
  async count(): Promise<number> {
    const { changes } = await this.openTab();
    return (await this.database.count('changes')) - changes.dropped.length;
  }
}

/** As somebody does who sees the list. @throws {HalfkeyError} as `edits.rename` */
export function rename(changes: PendingChanges, entry: string, typed: string): Promise<void> {
  return changes.edit((shown) => edits.rename(shown, entry, typed));
}

/** As where another device was faster: the name is taken, and this device does not know. */
export function renameAnyway(changes: PendingChanges, entry: string, name: string): Promise<void> {
  return changes.edit((shown) => [{ kind: 'rename', entry, name, was: shown.entry(entry)?.name ?? '' }]);
}

/** Names as they are shown of what is not in the journal yet, by entry. */
export function pendingNames({ shown, touched }: PendingChanges): Map<string, string | undefined> {
  return new Map([...touched].map((entry) => [entry, shown.entry(entry)?.name]));
}

/** What is due when the network is back. */
export async function sync({ journal, changes }: Tab): Promise<void> {
  await journal.refresh();
  await changes.flush();
}
