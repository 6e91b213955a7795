import * as v from 'valibot';
import { ONLY, writing, type Database, type StoredTransferSettings } from './database.ts';

/** Parts under way at a time: more gain nothing on one line, and cost memory. */
export const PARALLEL = { least: 1, most: 6, usual: 4 } as const;

const Settings = v.object({
  parallel: v.pipe(v.number(), v.integer(), v.minValue(PARALLEL.least), v.maxValue(PARALLEL.most)),
  wifiOnly: v.boolean(),
});

/** What was chosen on this device, or what is usual. */
export async function readTransferSettings(database: Database): Promise<StoredTransferSettings> {
  const parsed = v.safeParse(Settings, await database.get('settings', ONLY));
  return parsed.success ? parsed.output : { parallel: PARALLEL.usual, wifiOnly: false };
}

/** @returns what was kept: a number beyond its limits is brought within. @throws {HalfkeyError} `device_full` */
export async function saveTransferSettings(
  database: Database,
  { parallel, wifiOnly }: StoredTransferSettings,
): Promise<StoredTransferSettings> {
  const within = Math.min(PARALLEL.most, Math.max(PARALLEL.least, Math.trunc(parallel) || PARALLEL.usual));
  const settings = { parallel: within, wifiOnly };
  await writing(() => database.put('settings', settings, ONLY));
  return settings;
}
