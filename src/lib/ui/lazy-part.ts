/** A part of the app that is a script of its own. */
export type LoadPart<Part> = () => Promise<{ readonly default: Part }>;

/**
 * Loads a part anew that did not load before. What imports it (Vite's preloading) asks for its style sheets once only, and would go on
 * without them.
 * @throws when it does not load this time either
 */
export async function loadAgain<Part>(load: LoadPart<Part>): Promise<{ readonly default: Part }> {
  const links = [...document.querySelectorAll<HTMLLinkElement>('link[rel=stylesheet]')];
  await Promise.all(links.filter(({ sheet }) => !sheet).map(fetchStyles));
  return load();
}

function fetchStyles(link: HTMLLinkElement): Promise<void> {
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
