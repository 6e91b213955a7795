import { HalfkeyError } from '../errors.ts';

/**
 * What keeps a worker from starting. An error in its script tells what it is (HTML, "report an exception"); that the
 * script could not be fetched is told by an event that says nothing (HTML, "run a worker").
 */
export function whyNotStarted(event: Event): HalfkeyError {
  if (event instanceof ErrorEvent) return lacking('a worker’s script does not run');
  return new HalfkeyError('app_unreachable', 'a worker’s script could not be fetched');
}

/** @param feature that the browser does not have */
export function lacking(message: string, feature?: string): HalfkeyError {
  return new HalfkeyError('browser_lacks', message, {
    ...(feature !== undefined && { detail: { feature } }),
  });
}
