import * as v from 'valibot';
import { EnvelopeRecord } from '../../contract/envelope.ts';
import { BlobId, VaultId } from '../../contract/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { StateVersion } from '../../ports/state.ts';
import type { VaultObjects } from '../../ports/vaults.ts';
import { recordNames } from './inbox.ts';
import { isSwept } from './orphan-age.ts';
import type { VaultRecords } from './vault-record.ts';

/** Of a page of versions below `v/`, those that nothing names and that are old enough to go. */
export type FindOrphans = (page: readonly StateVersion[]) => Promise<StateVersion[]>;

export interface VaultSweepDeps {
  readonly objects: Pick<VaultObjects, 'list' | 'read'>;
  readonly vaults: Pick<VaultRecords, 'read'>;
  readonly clock: Clock;
}

/** `v/<vault>/<room>/…` */
interface Place {
  readonly vault: VaultId;
  readonly room: string;
  /** What follows the room. */
  readonly name: string;
  readonly version: StateVersion;
}

/** A listing's page. */
const LISTED = 1000;

/**
 * An orphan is a blob with neither an envelope nor an inbox record, an envelope for a file without a blob, or a page of
 * a snapshot that is none of those that the vault's record names. Whatever is on its way gets its name within a week,
 * and nothing gets one that late (`isNearlySwept`), so what is decided by a listing still holds when it goes.
 */
export function createFindOrphans({ objects, vaults, clock }: VaultSweepDeps): FindOrphans {
  /** Names below a prefix from `first` to `last`, whose keys go on with `/` or end there. */
  async function namesBetween(
    vault: VaultId,
    prefix: string,
    first: string,
    last: string,
  ): Promise<string[]> {
    const names: string[] = [];
    // A key that begins with the name itself comes after the name.
    for (let after = prefix + first.slice(0, -1); ;) {
      const page = await objects.list(vault, prefix, after, LISTED);
      for (const { key } of page.objects) names.push(key.slice(prefix.length));
      const end = page.objects.at(-1)?.key;
      if (!page.more || end === undefined || end.slice(prefix.length, prefix.length + last.length) > last) {
        return names;
      }
      after = end;
    }
  }

  async function waitingBlobs(vault: VaultId): Promise<Set<string>> {
    const waiting = new Set<string>();
    for await (const { blob } of recordNames(objects, vault)) waiting.add(blob);
    return waiting;
  }

  async function orphanBlobs(vault: VaultId, places: readonly Place[]): Promise<StateVersion[]> {
    const [first, last] = ends(places);
    // Records before envelopes: one that is adopted meanwhile has its envelope before it loses its record.
    const waiting = await waitingBlobs(vault);
    const keys = await namesBetween(vault, 'keys/', first, last);
    const enveloped = new Set(keys.map((name) => name.split('/')[0]));
    return places
      .filter(({ name }) => !waiting.has(name) && !enveloped.has(name))
      .map(({ version }) => version);
  }

  async function orphanEnvelopes(vault: VaultId, places: readonly Place[]): Promise<StateVersion[]> {
    const blobOf = ({ name }: Place) => name.split('/')[0] ?? '';
    const [first, last] = ends(places.map((place) => ({ ...place, name: blobOf(place) })));
    const blobs = new Set(await namesBetween(vault, 'blobs/', first, last));
    const orphans: StateVersion[] = [];
    for (const place of places) {
      if (blobs.has(blobOf(place))) continue;
      const bytes = await objects.read(vault, `keys/${place.name}`);
      if (bytes && isForFile(bytes)) orphans.push(place.version);
    }
    return orphans;
  }

  async function orphanPages(vault: VaultId, places: readonly Place[]): Promise<StateVersion[]> {
    const record = await vaults.read(vault);
    if (!record) return []; // A vault that is not founded yet, or goes as a whole.
    const named = new Set(
      [...record.snapshots, ...(record.base ? [record.base] : [])].flatMap(({ seq, pages }) =>
        pages.map((page) => `${String(seq)}/${page}`),
      ),
    );
    return places.filter(({ name }) => !named.has(name)).map(({ version }) => version);
  }

  const ORPHANS: Readonly<
    Record<string, (vault: VaultId, places: readonly Place[]) => Promise<StateVersion[]>>
  > = { blobs: orphanBlobs, keys: orphanEnvelopes, snapshots: orphanPages };

  return async (page) => {
    const old = page.flatMap(placeOf).filter(({ version }) => isSwept(version.modifiedMs, clock()));
    const orphans: StateVersion[] = [];
    for (const places of grouped(old)) {
      const [{ vault, room }] = places;
      orphans.push(...((await ORPHANS[room]?.(vault, places)) ?? []));
    }
    return orphans;
  };
}

function placeOf(version: StateVersion): Place[] {
  const [top, id, room = '', ...rest] = version.key.split('/');
  const vault = v.safeParse(VaultId, id);
  if (top !== 'v' || !vault.success || !version.isLatest) return [];
  const name = rest.join('/');
  const isOfBlob = room === 'snapshots' || v.is(BlobId, rest[0]);
  return isOfBlob ? [{ vault: vault.output, room, name, version }] : [];
}

/** By vault and room, each in the order that they were listed in. */
function grouped(places: readonly Place[]): [Place, ...Place[]][] {
  const groups = new Map<string, [Place, ...Place[]]>();
  for (const place of places) {
    const key = `${place.vault}/${place.room}`;
    const group = groups.get(key);
    if (group) group.push(place);
    else groups.set(key, [place]);
  }
  return [...groups.values()];
}

/** The first and the last name, in the order of keys. */
function ends(places: readonly Pick<Place, 'name'>[]): [string, string] {
  const names = places.map(({ name }) => name).sort();
  return [names[0] ?? '', names.at(-1) ?? ''];
}

function isForFile(bytes: Uint8Array): boolean {
  try {
    return v.parse(EnvelopeRecord, JSON.parse(Buffer.from(bytes).toString('utf8'))).purpose === 'file';
  } catch {
    return false;
  }
}
