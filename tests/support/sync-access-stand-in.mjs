// For a build that is run in WebKitGTK, at the head of the crypto worker's script. Of all WebKits Safari alone has
// synchronous access handles; here is something that does the same to the eye of a program: it works in memory, and
// writes the file down when it is closed.

/* eslint-disable @typescript-eslint/unbound-method -- each is called with the handle that it was asked of */
const { getFile } = FileSystemFileHandle.prototype;
const { removeEntry } = FileSystemDirectoryHandle.prototype;
/* eslint-enable @typescript-eslint/unbound-method */

/** Until all that was closed is written down: anyone who reads or removes a file waits for it. */
let written = Promise.resolve();

class AccessHandle {
  #file;
  #bytes;
  #sizeBytes;

  /** @param {FileSystemFileHandle} file @param {Uint8Array<ArrayBuffer>} bytes its content */
  constructor(file, bytes) {
    this.#file = file;
    this.#bytes = bytes;
    this.#sizeBytes = bytes.length;
  }

  getSize() {
    return this.#sizeBytes;
  }

  /** @param {Uint8Array} target @param {{ at: number }} place */
  read(target, { at }) {
    const part = this.#bytes.subarray(at, Math.min(at + target.length, this.#sizeBytes));
    target.set(part);
    return part.length;
  }

  /** @param {Uint8Array} bytes @param {{ at: number }} place */
  write(bytes, { at }) {
    this.#makeRoom(at + bytes.length);
    this.#bytes.set(bytes, at);
    this.#sizeBytes = Math.max(this.#sizeBytes, at + bytes.length);
    return bytes.length;
  }

  /** @param {number} sizeBytes */
  truncate(sizeBytes) {
    this.#makeRoom(sizeBytes);
    this.#bytes.fill(0, sizeBytes);
    this.#sizeBytes = sizeBytes;
  }

  flush() {
    // Nothing is written before it is closed.
  }

  close() {
    const content = this.#bytes.subarray(0, this.#sizeBytes);
    written = written.then(async () => {
      const stream = await this.#file.createWritable();
      await stream.write(content);
      await stream.close();
    });
  }

  /** @param {number} sizeBytes */
  #makeRoom(sizeBytes) {
    if (sizeBytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(sizeBytes, 2 * this.#bytes.length));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** @this {FileSystemFileHandle} */
async function getWrittenFile() {
  await written;
  return getFile.call(this);
}

/** @this {FileSystemFileHandle} */
async function createSyncAccessHandle() {
  const file = await getWrittenFile.call(this);
  return new AccessHandle(this, new Uint8Array(await file.arrayBuffer()));
}

/**
 * @this {FileSystemDirectoryHandle}
 * @param {string} name
 * @param {FileSystemRemoveOptions} [options]
 */
async function removeWritten(name, options) {
  await written;
  return removeEntry.call(this, name, options);
}

Object.assign(FileSystemDirectoryHandle.prototype, { removeEntry: removeWritten });
Object.assign(FileSystemFileHandle.prototype, { createSyncAccessHandle, getFile: getWrittenFile });
