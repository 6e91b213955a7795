/** Fails an access, as a browser would: at this name, or at any. */
export type OpfsFault = (operation: 'remove' | 'write' | 'open', name: string) => DOMException | undefined;

const notFound = (name: string) => new DOMException(name, 'NotFoundError');

/** The origin's private file system in memory, as far as Halfkey uses it. */
export class MemoryOpfs {
  readonly root = new MemoryFolder('', this);
  faultOf: OpfsFault = () => undefined;
  /** Of one write, as many bytes are taken. */
  takesBytes = Number.POSITIVE_INFINITY;
  /** What the browser says of the origin's place. */
  estimate: StorageEstimate = {};
  isPersistent = false;

  /** To be put in place of `navigator.storage`. */
  get storage() {
    return {
      getDirectory: () => Promise.resolve(this.root),
      estimate: () => Promise.resolve(this.estimate),
      persisted: () => Promise.resolve(this.isPersistent),
    };
  }
}

class MemoryFolder {
  readonly kind = 'directory';
  readonly entries = new Map<string, MemoryFolder | MemoryFile>();
  readonly name: string;
  readonly #opfs: MemoryOpfs;

  constructor(name: string, opfs: MemoryOpfs) {
    this.name = name;
    this.#opfs = opfs;
  }

  getFileHandle(name: string, options: { create?: boolean } = {}): Promise<MemoryFile> {
    return this.#get(name, options, () => new MemoryFile(name, this.#opfs));
  }

  getDirectoryHandle(name: string, options: { create?: boolean } = {}): Promise<MemoryFolder> {
    return this.#get(name, options, () => new MemoryFolder(name, this.#opfs));
  }

  async removeEntry(name: string): Promise<void> {
    await this.#check('remove', name);
    if (!this.entries.delete(name)) throw notFound(name);
  }

  async *keys(): AsyncGenerator<string> {
    yield* await Promise.resolve([...this.entries.keys()]);
  }

  async #get<Entry extends MemoryFolder | MemoryFile>(
    name: string,
    { create = false }: { create?: boolean },
    make: () => Entry,
  ): Promise<Entry> {
    await this.#check('open', name);
    if (!this.entries.has(name) && !create) throw notFound(name);
    const entry = this.entries.get(name) ?? make();
    this.entries.set(name, entry);
    return entry as Entry;
  }

  #check(operation: 'remove' | 'open', name: string): Promise<void> {
    const fault = this.#opfs.faultOf(operation, name);
    return fault ? Promise.reject(fault) : Promise.resolve();
  }
}

class MemoryFile {
  readonly kind = 'file';
  bytes = new Uint8Array(0);
  readonly name: string;
  readonly #opfs: MemoryOpfs;
  #isOpen = false;

  constructor(name: string, opfs: MemoryOpfs) {
    this.name = name;
    this.#opfs = opfs;
  }

  getFile(): Promise<File> {
    return Promise.resolve(new File([this.bytes], this.name));
  }

  /** One at a time, as in a browser. */
  createSyncAccessHandle(): Promise<unknown> {
    if (this.#isOpen) return Promise.reject(new DOMException(this.name, 'NoModificationAllowedError'));
    this.#isOpen = true;
    return Promise.resolve({
      truncate: (sizeBytes: number) => {
        const kept = this.bytes.subarray(0, sizeBytes);
        this.bytes = new Uint8Array(sizeBytes);
        this.bytes.set(kept);
      },
      write: (bytes: Uint8Array, { at = 0 } = {}) => {
        const fault = this.#opfs.faultOf('write', this.name);
        if (fault) throw fault;
        const taken = bytes.subarray(0, this.#opfs.takesBytes);
        const longer = new Uint8Array(Math.max(this.bytes.length, at + taken.length));
        longer.set(this.bytes);
        longer.set(taken, at);
        this.bytes = longer;
        return taken.length;
      },
      flush: () => undefined,
      close: () => {
        this.#isOpen = false;
      },
    });
  }
}
