import { generate } from 'otplib';
import type { TestClock } from '../../support/broker.ts';

/** The authenticator's next code: half a minute goes by in the broker's clock, because each is good once. */
export function otpauthCode(secret: string, clock: TestClock): Promise<string> {
  clock.advance(30);
  return generate({ secret, epoch: Math.floor(clock.nowMs / 1000) });
}
