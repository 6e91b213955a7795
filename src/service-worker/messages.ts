// What pages and the service worker say to each other, besides the bytes of a download
// (lib/transfer/download/download-stream.ts).

/**
 * A page says that a download of this name will be asked for; its ports are the source of bytes, and the one that is
 * told `ready`.
 */
export interface DownloadAnnouncement {
  readonly kind: 'download';
  /** Random: the URL is good for one request. */
  readonly transfer: string;
  readonly name: string;
  readonly sizeBytes: number;
}

/** What a page posts to the service worker. Only pages of this origin can. */
export type ToServiceWorker =
  | DownloadAnnouncement
  /** Nothing but a sign of life: the browser stops a service worker that hears nothing. */
  | { readonly kind: 'awake' }
  /** Fetches what was shared under this id, once; answered on the message's port. */
  | { readonly kind: 'shared'; readonly share: string }
  /** To one that waits: its time has come, because a person said so. */
  | { readonly kind: 'take-over' };

/**
 * What the service worker of a new version tells all pages: a file of it was altered on the way, and it is not
 * installed.
 */
export interface FromServiceWorker {
  readonly kind: 'update-rejected';
}

/**
 * The answer to `shared`. `gone`: fetched before, or too old, or the browser has stopped the service worker meanwhile.
 */
export type SharedAnswer =
  { readonly kind: 'files'; readonly files: readonly File[] } | { readonly kind: 'gone' };

/** What a share of another app is announced by in the address of the page that then opens. */
export const SHARED_PARAMETER = 'shared';

/** The tag under which the browser is asked to send on what waits once there is a network. */
export const UPLOADS_TAG = 'halfkey-uploads';
