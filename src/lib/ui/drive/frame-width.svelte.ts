import { MediaQuery } from 'svelte/reactivity';

/** As on a phone: a bar with tabs below, in the place of what else stands beside the page. */
export const narrow = new MediaQuery('max-width: 37.4375em', false);
/** Room for the sidebar with its folders, and for the details beside the list. */
export const wide = new MediaQuery('min-width: 64em', true);
