// One page for every address, drawn in the browser: a server has nothing to draw it from.
export const ssr = false;
export const prerender = false;
