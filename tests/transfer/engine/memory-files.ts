import type { Bytes } from '../../../src/lib/bytes.ts';
import type { PartFiles } from '../../../src/lib/store/part-files.ts';

/** A device's private files, which outlive the engine that writes them. */
export class MemoryFiles implements PartFiles {
  readonly blobs = new Map<string, Map<number, Bytes>>();

  async write(blob: string, partNumber: number, bytes: Bytes): Promise<void> {
    const parts = this.blobs.get(blob) ?? new Map<number, Bytes>();
    this.blobs.set(blob, parts.set(partNumber, bytes.slice()));
    return Promise.resolve();
  }

  read(blob: string, partNumber: number): Promise<Blob | undefined> {
    const bytes = this.blobs.get(blob)?.get(partNumber);
    return Promise.resolve(bytes && new Blob([bytes]));
  }

  list(): Promise<string[]> {
    return Promise.resolve([...this.blobs.keys()]);
  }

  remove(blob: string): Promise<void> {
    this.blobs.delete(blob);
    return Promise.resolve();
  }
}
