/// <reference types="@sveltejs/kit" />
/// <reference types="vite/client" />

declare global {
  namespace App {
    interface PageState {
      /** How many things cover the page, as dialogs do. */
      layers?: number;
      /** A file or folder that is to be found in what is listed. */
      entry?: string;
    }
  }
}

export {};
