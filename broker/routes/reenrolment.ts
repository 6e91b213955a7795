import * as contract from '../contract/reenrolment.ts';
import type { createReenrolment } from '../domain/account/reenrolment.ts';
import { admitTo, takeState } from './accounts.ts';
import { type Frame, register } from './frame.ts';

/** Everything in contract/reenrolment.ts. */
export function createReenrolmentRoutes(
  frame: Frame,
  reenrolment: ReturnType<typeof createReenrolment>,
): void {
  register(frame, contract.reenrolAsk, async ({ session, request, cookies }) => {
    const { answer, issued } = await reenrolment.ask(session, request, takeState(cookies));
    return issued ? admitTo(cookies, { answer, issued }) : answer;
  });
  register(frame, contract.reenrolSecret, ({ session, request }) => reenrolment.secret(session, request));
  register(frame, contract.reenrolConfirm, async ({ session, request, cookies }) =>
    admitTo(cookies, await reenrolment.confirm(session, request)),
  );
  register(frame, contract.reenrolStop, ({ session }) => reenrolment.stop(session));
}
