/// <reference types="@sveltejs/kit" />
/// <reference types="vite/client" />

declare global {
  namespace App {
    interface PageState {
      /** How many things cover the page, as dialogs do. */
      layers?: number;
    }
  }
}

export {};
