import type { Head, Opening } from '$contract/accounts.ts';
import { BlobId, type GrantId, type VaultId } from '$contract/ids.ts';
import { LIMITS } from '$contract/limits.ts';
import { snapshotGetUrls, snapshotPutUrls } from '$contract/vault-blobs.ts';
import { logAppend, logRead } from '$contract/vault-log.ts';
import * as v from 'valibot';
import { toB64, toB64Url, type Bytes } from '../bytes.ts';
import { sha256 } from '../crypto/digest.ts';
import { HalfkeyError } from '../errors.ts';
import type { JournalRemote } from '../journal/ports.ts';
import type { JournalHead } from '../journal/entries/segment.ts';
import type { Broker } from '../remote/broker.ts';
import { getWhole, put } from '../remote/s3.ts';
import { bytesOf, toJournalHead } from '../vault/journal-head.ts';

/** A journal's far end while it is being opened. */
export interface OpeningRemote extends JournalRemote {
  /** From now on the broker is asked for everything. */
  opened(): void;
}

interface Page {
  readonly page: string;
  readonly bytes: Bytes;
}

/**
 * What the broker has told of a journal with the code that was accepted: good until this device writes, or looks for
 * more.
 */
export interface AtHand {
  readonly head: Head;
  readonly opening: Opening;
}

/**
 * The journal's far end: segments through the broker, pages of snapshots straight to and from S3.
 * @param grant the live one: with a grant more may be written
 * @param atHand what opens the journal without another request
 */
export function journalRemote(
  broker: Broker,
  vault: VaultId,
  grant: () => GrantId | undefined = () => undefined,
  atHand?: AtHand,
): OpeningRemote {
  let known = atHand;
  return {
    get tailSeq() {
      return known?.opening.from;
    },
    opened() {
      known = undefined;
    },
    async read(fromSeq) {
      const told = known && readAtHand(known, fromSeq);
      if (told) return told;
      const { head, segments } = await broker.call(logRead, { from: String(fromSeq) }, { vault });
      return { head: toJournalHead(head), segments: segments.map(bytesOf) };
    },
    async append(segment, proof, snapshot) {
      known = undefined; // Anyone who was faster is to be heard of.
      const named = snapshot && {
        snapshot: { seq: snapshot.seq, pages: snapshot.pages.map(({ page }) => v.parse(BlobId, page)) },
      };
      const request = { segment: toB64Url(segment), proof, grant: grant(), ...named };
      return toJournalHead(await broker.call(logAppend, request, { vault }));
    },
    async putPages(seq, pages) {
      for (let index = 0; index < pages.length; index += LIMITS.batch) {
        await putBatch(broker, vault, seq, pages.slice(index, index + LIMITS.batch), grant());
      }
    },
    async getPage(seq, page, sizeBytes) {
      const url = known?.opening.pages.find((each) => each.seq === seq && each.page === page)?.url;
      if (url !== undefined) return getWhole(url, sizeBytes);
      const pages = [{ seq, page }];
      const { urls } = await broker.call(snapshotGetUrls, { pages }, { vault });
      return getWhole(urlOf(urls, page), sizeBytes);
    },
  };
}

/** @returns undefined where only the broker can tell */
function readAtHand(
  { head, opening: { from, segments } }: AtHand,
  fromSeq: number,
): { head: JournalHead; segments: Bytes[] } | undefined {
  if (fromSeq > head.seq) return { head: toJournalHead(head), segments: [] };
  if (fromSeq < from || fromSeq >= from + segments.length) return undefined;
  return { head: toJournalHead(head), segments: segments.slice(fromSeq - from).map(bytesOf) };
}

async function putBatch(
  broker: Broker,
  vault: VaultId,
  seq: number,
  pages: readonly Page[],
  grant: GrantId | undefined,
): Promise<void> {
  const described = await Promise.all(
    pages.map(async ({ page, bytes }) => ({
      seq,
      page: v.parse(BlobId, page),
      sizeBytes: bytes.length,
      sha256: toB64(await sha256(bytes)),
    })),
  );
  const { urls } = await broker.call(snapshotPutUrls, { pages: described, grant }, { vault });
  for (const [index, { page, bytes }] of pages.entries()) {
    await put({
      url: urlOf(urls, page),
      body: new Blob([bytes]),
      sha256B64: described[index]?.sha256 ?? '',
      createOnly: true,
      signal: new AbortController().signal,
    });
  }
}

function urlOf(urls: readonly { page: string; url: string }[], page: string): string {
  const url = urls.find((candidate) => candidate.page === page)?.url;
  if (url === undefined) throw new HalfkeyError('broker_unreachable', 'the broker signed no URL for a page');
  return url;
}
