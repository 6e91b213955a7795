import { fromUtf8, concat, type Bytes } from '../../bytes.ts';
import type { Preview } from '../../protocol/transfer.ts';

/** Raster formats that browsers decode in a process of its own; never SVG or HTML, which are documents. */
const IMAGES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif', 'image/bmp']);
const MAX_IMAGE_BYTES = 32 * 1024 * 1024;
const MAX_TEXT_BYTES = 1024 * 1024;

/** Whether a version can be looked at in place, by its type and size alone. */
export function isPreviewable({ mediaType, sizeBytes }: { mediaType: string; sizeBytes: number }): boolean {
  if (IMAGES.has(mediaType)) return sizeBytes <= MAX_IMAGE_BYTES;
  return isText(mediaType) && sizeBytes <= MAX_TEXT_BYTES;
}

/** @param bytes of a version that is previewable */
export async function collectPreview(mediaType: string, bytes: AsyncIterable<Bytes>): Promise<Preview> {
  const chunks: Bytes[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  if (IMAGES.has(mediaType)) return { kind: 'image', blob: new Blob(chunks, { type: mediaType }) };
  try {
    return { kind: 'text', text: fromUtf8(concat(...chunks)) };
  } catch {
    return { kind: 'none' };
  }
}

function isText(mediaType: string): boolean {
  return mediaType.startsWith('text/') || mediaType === 'application/json';
}
