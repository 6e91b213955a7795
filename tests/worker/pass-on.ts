import type { APIResponse, Route } from 'playwright';

/** Sends a request on as the browser would have sent it: Playwright's own is no page's. @param origin of the app */
export async function passOn(
  route: Route,
  origin: string,
  instead: { url?: string; postData?: string } = {},
): Promise<APIResponse> {
  const said = { origin, 'sec-fetch-site': 'same-origin' };
  return route.fetch({ ...instead, headers: { ...(await route.request().allHeaders()), ...said } });
}
