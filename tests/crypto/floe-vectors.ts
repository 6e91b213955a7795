import { fromHex } from './hex.ts';
import type { Bytes } from '../../src/lib/bytes.ts';
import type { FloeParameters } from '../../src/lib/crypto/floe.ts';

const TEXTS = import.meta.glob<string>('../vectors/floe/*.txt', {
  query: '?raw',
  import: 'default',
  eager: true,
});
const FILES = import.meta.glob<string>('../vectors/floe/*.floe', {
  query: '?url&inline',
  import: 'default',
  eager: true,
});
const DESCRIPTIONS = import.meta.glob<LargeDescription[]>('../vectors/floe/seg524288.json', {
  import: 'default',
  eager: true,
});

interface LargeDescription {
  readonly file: string;
  readonly segmentLength: number;
  readonly key: string;
  readonly aad: string;
  readonly plaintextLength: number;
  readonly plaintextSha256: string;
}

/** One published known answer. */
export interface FloeVector {
  readonly name: string;
  readonly key: Bytes;
  readonly aad: Bytes;
  readonly parameters: FloeParameters;
  readonly plaintext: Bytes;
  readonly sealed: Bytes;
}

/** The 17 known answers of the five implementations: key of zeros, AAD "This is AAD". */
export function textVectors(): FloeVector[] {
  return Object.keys(TEXTS)
    .filter((path) => path.endsWith('_ct.txt'))
    .map((path) => {
      const name = path.slice(path.lastIndexOf('/') + 1, -'_ct.txt'.length);
      return {
        name,
        key: new Uint8Array(32),
        aad: new TextEncoder().encode('This is AAD'),
        parameters: parametersOf(name),
        plaintext: fromHex(text(path.replace('_ct.txt', '_pt.txt'))),
        sealed: fromHex(text(path)),
      };
    });
}

/** The seven with Halfkey's own segments, made with the authors' Java code. */
export async function largeVectors(): Promise<(FloeVector & { plaintextSha256: string })[]> {
  const descriptions = Object.values(DESCRIPTIONS)[0] ?? [];
  return Promise.all(
    descriptions.map(async ({ file, segmentLength, key, aad, plaintextLength, plaintextSha256 }) => {
      const url = FILES[`../vectors/floe/${file}`];
      if (url === undefined) throw new Error(`no vector ${file}`);
      const answer = await fetch(url);
      return {
        name: file,
        key: fromHex(key),
        aad: fromHex(aad),
        parameters: { segmentBytes: segmentLength },
        plaintext: patternBytes(plaintextLength),
        plaintextSha256,
        sealed: new Uint8Array(await answer.arrayBuffer()),
      };
    }),
  );
}

/** The plaintext of the large vectors: byte i = (7i + 3 + ⌊i/256⌋) mod 256. */
export function patternBytes(sizeBytes: number): Bytes {
  return Uint8Array.from(
    { length: sizeBytes },
    (_, index) => (7 * index + 3 + Math.floor(index / 256)) % 256,
  );
}

function parametersOf(name: string): FloeParameters {
  if (name.endsWith('rotation')) return { segmentBytes: 40, rotationBits: 2 };
  if (name.includes('lastSeg')) return { segmentBytes: 40 };
  return { segmentBytes: name.endsWith('4K') ? 4096 : 64 };
}

function text(path: string): string {
  const found = TEXTS[path];
  if (found === undefined) throw new Error(`no vector ${path}`);
  return found;
}
