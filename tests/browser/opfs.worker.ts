import {
  createOpfsFile,
  freeBytes,
  hasOpfs,
  listOpfs,
  readOpfsFile,
  removeOpfsFile,
} from '../../src/lib/store/opfs.ts';

/** What the test looks at; synchronous handles exist in workers only. */
async function run(): Promise<Record<string, unknown>> {
  const handle = await createOpfsFile('one');
  handle.write(Uint8Array.of(1, 2, 3, 4), { at: 0 });
  handle.write(Uint8Array.of(9), { at: 2 });
  handle.flush();
  handle.close();
  const file = await readOpfsFile('one');
  const written = file && [...new Uint8Array(await file.arrayBuffer())];
  const again = await createOpfsFile('one');
  const emptied = again.getSize();
  again.close();
  const listed = await listOpfs();
  await removeOpfsFile('one');
  await removeOpfsFile('one');
  const absent = await readOpfsFile('one');
  const free = await freeBytes(0);
  return {
    supported: hasOpfs(),
    written,
    emptied,
    listed,
    absent,
    left: await listOpfs(),
    free: (free ?? 0) > 0,
  };
}

void run().then(
  (result) => {
    postMessage(result);
  },
  (error: unknown) => {
    postMessage({ error: String(error) });
  },
);
