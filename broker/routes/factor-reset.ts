import * as contract from '../contract/factor-reset.ts';
import type { createFactorReset } from '../domain/auth/factor-reset.ts';
import { admitTo, takeState } from './accounts.ts';
import { type Frame, register } from './frame.ts';

/** Everything in contract/factor-reset.ts. */
export function createFactorResetRoutes(
  frame: Frame,
  factorReset: ReturnType<typeof createFactorReset>,
): void {
  register(frame, contract.factorResetAsk, async ({ session, request, cookies }) => {
    const { answer, issued } = await factorReset.ask(session, request, takeState(cookies));
    return issued ? admitTo(cookies, { answer, issued }) : answer;
  });
  register(frame, contract.factorResetSecret, ({ session, request }) => factorReset.secret(session, request));
  register(frame, contract.factorResetConfirm, async ({ session, request, cookies }) =>
    admitTo(cookies, await factorReset.confirm(session, request)),
  );
  register(frame, contract.factorResetStop, ({ session }) => factorReset.stop(session));
}
