import { sessionEnd } from '$contract/accounts.ts';
import { HalfkeyError } from '../errors.ts';
import type { Broker } from '../remote/broker.ts';
import { forgetLeft, isLeft, noteLeft } from '../store/left-session.ts';

/**
 * Has the broker end the session that this browser's cookie is of. A note stays on the device until the broker has
 * answered, and says nothing of anybody: `endLeft` takes it up at the next start. The cookie is enough for that, and
 * for nothing else.
 */
export async function leaveSession(broker: Broker): Promise<void> {
  await noteLeft().catch(() => undefined); // Without room for it the session ends by its time.
  await tellEnd(broker);
}

/** Ends what was signed out of without a network. To be called only where nobody is signed in. Never rejects. */
export async function endLeft(broker: Broker): Promise<void> {
  if (await isLeft().catch(() => false)) await tellEnd(broker);
}

async function tellEnd(broker: Broker): Promise<void> {
  try {
    await broker.call(sessionEnd, {});
  } catch (error) {
    // What it refuses has ended before.
    if (!(error instanceof HalfkeyError) || error.family !== 'refused') return;
  }
  await forgetLeft().catch(() => undefined);
}
