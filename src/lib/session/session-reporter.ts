import type { ErrorCode } from '../errors.ts';
import { toFailure } from '../protocol/failure.ts';
import type { Phase } from '../protocol/session.ts';
import type { FactorReset } from '../protocol/credentials.ts';
import type { VoidChanges } from '../protocol/drive.ts';
import type { Report } from '../protocol/commands.ts';

/** What a session says by itself: each thing once, until it changes. */
export class SessionReporter {
  readonly #report: (report: Report) => void;
  #online: boolean | undefined;
  /** An alarm goes off once. */
  #alarm: ErrorCode | undefined;

  constructor(report: (report: Report) => void) {
    this.#report = report;
  }

  phase(phase: Phase): void {
    this.#report({ kind: 'phase', phase });
  }

  connection(online: boolean): void {
    if (this.#online === online) return;
    this.#online = online;
    this.#report({ kind: 'connection', online });
  }

  /** A code has bought all that it can. */
  codeSpent(): void {
    this.#report({ kind: 'code-spent' });
  }

  /** A failure that no command led to, and that trying again does not mend. */
  alarm(error: unknown): void {
    const failure = toFailure(error);
    // That this is not a member's vault any more is the same claim as that there is none.
    const code = failure.code === 'not_a_member' ? 'vault_missing' : failure.code;
    if (this.#alarm === code) return;
    this.#alarm = code;
    this.#report({ kind: 'alarm', failure: { code, detail: failure.detail } });
  }

  /** Somebody has come in anew: what was wrong before is told again when it still is. */
  forgetAlarm(): void {
    this.#alarm = undefined;
  }

  /** @param lastHeardMs when any other device was heard of last, ms since 1970; undefined once one is heard of again */
  viewStale(lastHeardMs: number | undefined): void {
    this.#report({ kind: 'view-stale', lastHeardMs });
  }

  /** @param changes all that count for nothing since the journal was opened */
  changesVoid(changes: readonly VoidChanges[]): void {
    this.#report({ kind: 'changes-void', changes });
  }

  /** @param pending asked for, and not stopped */
  factorReset(pending: FactorReset | undefined): void {
    this.#report({ kind: 'factor-reset', pending });
  }
}
