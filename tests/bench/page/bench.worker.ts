import { downloadingContest } from './downloading.ts';
import { filingContest, sealFile } from './filing.ts';
import { addEntry, dropLocalCopy, hasLocalCopy, importEntries } from './journaling.ts';
import { sameBytes } from './same-bytes.ts';
import { sealingContest } from './sealing.ts';
import { uploadingContest } from './uploading.ts';

const CONTESTS = {
  sealing: ({ sizeBytes, rounds }: { sizeBytes: number; rounds: number }) =>
    sealingContest(sizeBytes, rounds),
  filing: ({ file, rounds }: { file: File; rounds: number }) => filingContest(file, rounds),
  sealFile: ({ file }: { file: File }) => sealFile(file),
  uploading: ({ file, rounds }: { file: File; rounds: number }) => uploadingContest(file, rounds),
  downloading: ({ file, rounds }: { file: File; rounds: number }) => downloadingContest(file, rounds),
  compare: ({ file, other }: { file: File; other: File }) => sameBytes(file, other),
  importEntries: ({ count }: { count: number }) => importEntries(count),
  addEntry: ({ name }: { name: string }) => addEntry(name),
  dropLocalCopy: () => dropLocalCopy(),
  hasLocalCopy: () => hasLocalCopy(),
};

/** What the page may ask for. */
export type Contests = typeof CONTESTS;

interface Ask {
  readonly id: number;
  readonly contest: keyof Contests;
  readonly args: never;
}

globalThis.addEventListener('message', ({ data: { id, contest, args } }: MessageEvent<Ask>) => {
  const run = CONTESTS[contest] as (args: never) => Promise<unknown>;
  run(args).then(
    (result) => {
      globalThis.postMessage({ id, result });
    },
    (error: unknown) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      globalThis.postMessage({ id, error: text });
    },
  );
});
