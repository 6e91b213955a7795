// Not every browser that Halfkey runs in knows this symbol yet; what `using` is compiled to looks under the same name.
const dispose = (Symbol as { readonly dispose?: symbol }).dispose ?? Symbol.for('Symbol.dispose');

/**
 * Overwrites secrets with zeros when the block ends that declares it, whether it returns or throws:
 * `using _key = wipeAtEnd(key);`
 * @param secrets what is undefined is passed over
 */
export function wipeAtEnd(...secrets: readonly (Uint8Array | Uint16Array | undefined)[]): Disposable {
  return atEnd(() => {
    for (const secret of secrets) secret?.fill(0);
  });
}

/** Does this when the block ends that declares it: `using _ending = atEnd(…);` */
export function atEnd(end: () => void): Disposable {
  return { [dispose]: end } as unknown as Disposable;
}
