import type { DriveUsage, FileRow } from '../../../src/lib/protocol/drive.ts';

// A drive as the frame shows it, for tests of how it lies in the window.

const file = (entry: string, name: string, sizeBytes: number): FileRow => ({
  ...{ kind: 'file', entry, name, folder: '', isFavourite: false, tags: [], isPending: false },
  ...{ sizeBytes, mediaType: '', addedAtMs: 0, kept: 'no', isGone: false },
});

export const USAGE: DriveUsage = {
  kinds: [
    { kind: 'image', files: 1204, sizeBytes: 18_400_000 },
    { kind: 'video', files: 3, sizeBytes: 9_000_000 },
    { kind: 'audio', files: 0, sizeBytes: 0 },
    { kind: 'document', files: 64, sizeBytes: 2_100_000 },
    { kind: 'archive', files: 1, sizeBytes: 300_000 },
    { kind: 'other', files: 2, sizeBytes: 12 },
  ],
  trash: { files: 12, sizeBytes: 1_000_000 },
  earlierVersions: { count: 7, sizeBytes: 250_000 },
  largest: [
    file('a', 'The whole of our trip to Norway, in one take.mov', 8_000_000),
    file('b', 'IMG_20260714_181502_without_any_place_to_break_it_HDR_original.jpg', 4_100_000),
    file('c', 'contract.pdf', 1_900_000),
  ],
};
