import { blobGetUrls } from '../../../broker/contract/vault-blobs.ts';
import { release } from '../../../src/lib/bytes.ts';
import { getRange } from '../../../src/lib/remote/s3.ts';
import { removeOpfsFile } from '../../../src/lib/store/opfs.ts';
import { inLanes } from '../../../src/lib/concurrency/lanes.ts';
import { readContent } from '../../../src/lib/transfer/download/opening.ts';
import { planPart, planStored } from '../../../src/lib/transfer/plan.ts';
import { createSink } from '../../../src/lib/transfer/download/sink.ts';
import { race, type Rate } from './race.ts';
import { residence, type Residence } from './residence.ts';
import { sameBytes } from './same-bytes.ts';
import { upload, type UploadedBlob } from './uploading.ts';

/** As many ranges on their way as a download has: one that is opened, and two ahead of it. */
const LANES = 3;
const TRANSFER = 'bench';

/** Fetching the ranges of a blob and dropping the bytes; and fetching, hashing, opening and writing them to OPFS. */
export async function downloadingContest(file: File, rounds: number): Promise<Rate[]> {
  const here = await residence();
  const uploaded = await upload(here, file);
  await sameBytes(file, await download(here, uploaded));
  return race(file.size, rounds, [
    { name: 'fetching and discarding', run: () => fetchAll(here, uploaded) },
    { name: 'downloading', run: () => download(here, uploaded) },
  ]).finally(() => removeOpfsFile(`download-${TRANSFER}`));
}

async function download(here: Residence, { stored, contentKey }: UploadedBlob): Promise<File> {
  const sink = await createSink(TRANSFER);
  for await (const bytes of readContent(here, stored, contentKey, new AbortController().signal)) {
    await sink.write(bytes);
    release(bytes);
  }
  const written = await sink.finish();
  if (!written) throw new TypeError('expected a file in OPFS');
  return written;
}

async function fetchAll({ broker, vault }: Residence, { stored }: UploadedBlob): Promise<void> {
  const plan = planStored(stored);
  const { urls } = await broker.call(blobGetUrls, { blobs: [stored.blob] }, { vault });
  const partNumbers = Array.from({ length: plan.partCount }, (_, index) => index + 1);
  await inLanes(partNumbers, LANES, new AbortController().signal, async (partNumber, signal) => {
    const { offsetBytes, sizeBytes } = planPart(plan, partNumber);
    const range = { fromByte: offsetBytes, untilByte: offsetBytes + sizeBytes };
    const reader = (await getRange(urls[0]?.url ?? '', range, signal)).getReader();
    let fetchedBytes = 0;
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      fetchedBytes += read.value.length;
      release(read.value);
    }
    if (fetchedBytes !== sizeBytes)
      throw new Error(`expected ${String(sizeBytes)} bytes, got ${String(fetchedBytes)}`);
  });
}
