import type { SparedPlace } from '../../../platform/install-way.ts';

/** How long Safari keeps anything. @param place where it spares apps */
export function safariWords(place: SparedPlace): string {
  const apps = place === 'Dock' ? 'apps in your Dock' : 'apps on your home screen';
  return `Safari deletes what’s stored here if you don’t open Halfkey for seven days. It doesn’t do that to ${apps}.`;
}
