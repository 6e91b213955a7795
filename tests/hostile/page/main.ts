/**
 * What the test calls: starts so many workers, each of which begins so many ciphertexts.
 * @returns hex, a line for each IV and key
 */
export type SealInWorkers = (workers: number, ciphertexts: number) => Promise<string[]>;

const sealInWorkers: SealInWorkers = async (workers, ciphertexts) => {
  const outputs = Array.from({ length: workers }, () => {
    const worker = new Worker(new URL('./seal.worker.ts', import.meta.url), { type: 'module' });
    return new Promise<string[]>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<string[]>) => {
        resolve(data);
        worker.terminate();
      };
      worker.onerror = (event) => {
        reject(new Error(event.message));
      };
      worker.postMessage(ciphertexts);
    });
  });
  return (await Promise.all(outputs)).flat();
};
Object.assign(globalThis, { sealInWorkers });
