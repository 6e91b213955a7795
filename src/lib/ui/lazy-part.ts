/** A part of the app that is a script of its own. */
export type LoadPart<Part> = () => Promise<{ readonly default: Part }>;

/**
 * Style sheets of parts that did not load. What imports a part (Vite's preloading) asks for its style sheets once only,
 * and would go on without them.
 */
const lost = new Set<HTMLLinkElement>();

/**
 * Loads a part, with the style sheets that did not load before.
 * @throws when something does not load; it may at the next try
 */
export async function loadPart<Part>(load: LoadPart<Part>): Promise<{ readonly default: Part }> {
  addEventListener('error', noteLost, { capture: true });
  try {
    await Promise.all([...lost].map(fetchStyles));
    return await load();
  } finally {
    removeEventListener('error', noteLost, { capture: true });
  }
}

function noteLost({ target }: Event): void {
  if (target instanceof HTMLLinkElement && target.rel === 'stylesheet') lost.add(target);
}

function fetchStyles(link: HTMLLinkElement): Promise<void> {
  lost.delete(link);
  const again = link.cloneNode() as HTMLLinkElement;
  return new Promise((resolve, reject) => {
    again.onload = () => {
      resolve();
    };
    again.onerror = () => {
      reject(new Error('a style sheet did not load'));
    };
    link.replaceWith(again);
  });
}
