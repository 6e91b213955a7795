// Loaded into a server by `--import`: its clock is ahead of the machine's by so many milliseconds.
import { subscribe } from 'node:diagnostics_channel';

const aheadMs = Number(process.env['CLOCK_AHEAD_MS']);
const now = Date.now;

globalThis.Date = new Proxy(Date, {
  construct(Present, parts, target) {
    /** @type {unknown} */
    const date = Reflect.construct(Present, parts.length > 0 ? parts : [now() + aheadMs], target);
    return /** @type {Date} */ (date);
  },
  get: (Present, name) =>
    name === 'now' ? () => now() + aheadMs : /** @type {unknown} */ (Reflect.get(Present, name)),
});

// Node has kept a Date of its own for the header that goes with each answer.
subscribe('http.server.request.start', (message) => {
  const { response } = /** @type {{ response: import('node:http').ServerResponse }} */ (message);
  response.setHeader('date', new Date().toUTCString());
});
