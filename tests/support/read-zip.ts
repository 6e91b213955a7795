/** What stands in a zip, by path; a folder has no bytes. Everything that can be wrong in its form throws. */
export function readZip(zip: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const end = zip.length - 22;
  if (view.getUint32(end, true) !== 0x06054b50) throw new Error('no end of the directory');
  const count = view.getUint16(end + 10, true);
  const found = new Map<string, Uint8Array>();
  let at = view.getUint32(end + 16, true);
  for (let entry = 0; entry < count; entry++) {
    if (view.getUint32(at, true) !== 0x02014b50) throw new Error('no entry of the directory');
    const [crc, size] = [view.getUint32(at + 16, true), view.getUint32(at + 24, true)];
    const [nameBytes, extraBytes] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true)];
    const offset = view.getUint32(at + 42, true);
    const name = new TextDecoder('utf8', { fatal: true }).decode(zip.subarray(at + 46, at + 46 + nameBytes));
    if (view.getUint32(offset, true) !== 0x04034b50) throw new Error(`no entry ${name}`);
    const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
    const bytes = zip.subarray(start, start + size);
    if (crc32(bytes) !== crc) throw new Error(`other bytes in ${name}`);
    if (found.has(name)) throw new Error(`twice ${name}`);
    found.set(name, bytes);
    at += 46 + nameBytes + extraBytes;
  }
  if (at !== end) throw new Error('something between directory and end');
  return found;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
