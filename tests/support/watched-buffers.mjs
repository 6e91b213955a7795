// For a build whose crypto worker is watched, at the head of its script: notes each buffer that the worker's code makes
// or looks into, WebAssembly's memory included, without keeping it alive. What the engine has copied for itself is not
// seen.

/** @type {WeakSet<object>} */
const seen = new WeakSet();
/** @type {WeakRef<object>[]} */
const noted = [];
Object.assign(globalThis, { notedBuffers: noted });

/** @template {object} Made @param {Made} made @returns {Made} */
function note(made) {
  const buffer = /** @type {object} */ (ArrayBuffer.isView(made) ? made.buffer : made);
  if (!seen.has(buffer)) {
    seen.add(buffer);
    noted.push(new WeakRef(buffer));
  }
  return made;
}

for (const name of ['ArrayBuffer', 'Uint8Array', 'Uint16Array', 'Uint32Array', 'DataView']) {
  const known = /** @type {unknown} */ (Reflect.get(globalThis, name));
  const plain = /** @type {new (...args: never[]) => object} */ (known);
  /** @type {typeof plain} */
  const noting = new Proxy(plain, {
    construct(target, /** @type {never[]} */ args, newTarget) {
      const ofIts = newTarget === noting ? target : newTarget;
      const made = /** @type {unknown} */ (Reflect.construct(target, args, ofIts));
      return note(/** @type {object} */ (made));
    },
  });
  Reflect.set(globalThis, name, noting);
  Reflect.set(plain.prototype, 'constructor', noting); // `slice` and `map` ask it.
}
