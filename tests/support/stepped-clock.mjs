// Loaded into a server by `--import`: its clock is ahead of the machine's by as much as a file says, which a test
// changes.
import { subscribe } from 'node:diagnostics_channel';
import { openSync, readSync } from 'node:fs';

const file = openSync(process.env['STEPPED_CLOCK'] ?? '', 'r');
const aheadMs = new Float64Array(1);
const now = Date.now;

// Read anew each time: so all servers step at the same moment, and none has to be told.
const steppedNow = () => {
  readSync(file, aheadMs, 0, aheadMs.byteLength, 0);
  return now() + (aheadMs[0] ?? 0);
};

globalThis.Date = new Proxy(Date, {
  construct(Present, parts, target) {
    /** @type {unknown} */
    const date = Reflect.construct(Present, parts.length > 0 ? parts : [steppedNow()], target);
    return /** @type {Date} */ (date);
  },
  get: (Present, name) => (name === 'now' ? steppedNow : /** @type {unknown} */ (Reflect.get(Present, name))),
});

// Node has kept a Date of its own for the header that goes with each answer.
subscribe('http.server.request.start', (message) => {
  const { response } = /** @type {{ response: import('node:http').ServerResponse }} */ (message);
  response.setHeader('date', new Date().toUTCString());
});
