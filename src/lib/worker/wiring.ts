import { driveCommands } from '../drive/drive-commands.ts';
import { View } from '../drive/view.ts';
import type { Commands, HandlersOf, Report } from '../protocol/commands.ts';
import { toFailure } from '../protocol/failure.ts';
import { connectBroker } from '../remote/broker.ts';
import { SessionProver } from '../remote/session-proof.ts';
import { withTokenRetry } from '../remote/token-retry.ts';
import { credentialCommands } from '../session/credential-commands.ts';
import { Credentials } from '../session/credentials.ts';
import { Session } from '../session/session.ts';
import { sessionCommands } from '../session/session-commands.ts';
import { hasDatabase } from '../store/database.ts';
import { readSessionKey } from '../store/session-key.ts';
import { sweepDownloads } from '../transfer/download/sink.ts';
import { transferCommands } from '../transfer/transfer-commands.ts';
import { createTransfers } from '../transfer/transfers.ts';
import { UnsafeTransfers } from '../transfer/unsafe-transfers.ts';

/** What answers each command. */
export type Handlers = HandlersOf<Commands>;

/** Puts the rooms together: session, credentials, drive and transfers. */
export function createHandlers(origin: string, tell: (report: Report) => void): Handlers {
  const report = (said: Report) => {
    tell(said);
    if (said.kind === 'phase' && said.phase.phase !== 'open') transfers.locked();
  };
  const nowMs = () => Date.now();
  const view = new View(report, (blob) => transfers.keptState(blob));
  const unsafe = new UnsafeTransfers(() => {
    session.closeIfDue();
  });
  const prover: SessionProver = new SessionProver(async () =>
    (await hasDatabase()) ? readSessionKey(await deviceStore.database()) : undefined,
  );
  const session = new Session({
    origin,
    broker: withTokenRetry(connectBroker(origin, prover), navigator.locks),
    prover,
    nowMs,
    report,
    onDrive(drive) {
      view.look(drive);
      if (drive) transfers.open(session.openAccount().database);
      else transfers.close();
    },
    onGrant() {
      transfers.adopt();
    },
    onInbox() {
      transfers.adopt();
    },
    onLockNow() {
      transfers.lockNow();
      credentials.clear();
    },
    onIdle() {
      credentials.clear();
    },
    mayClose: () => unsafe.size === 0,
  });
  const { broker, deviceStore } = session;
  const openAccount = () => session.openAccount();
  const vault = () => session.vault();
  const transfers = createTransfers({
    vault,
    report(transfer) {
      report({ kind: 'transfer', transfer });
      unsafe.hear(transfer);
    },
    gone(transfer) {
      report({ kind: 'transfer-gone', transfer });
      unsafe.forget(transfer);
    },
    broker,
    refused(count) {
      report({ kind: 'alarm', failure: { code: 'inbox_refused', detail: { count } } });
    },
    failed(error) {
      report({ kind: 'alarm', failure: toFailure(error) });
    },
    keptChanged() {
      view.touch();
    },
    nowMs,
    flushChanges: () => openAccount().drive.changes.flush(),
    halvesLeft: () => session.halvesLeft,
  });
  const credentials = new Credentials({
    ...{ broker, deviceStore, openAccount, vault },
    takeIn: (doubted) => transfers.takeIn(doubted),
  });

  const ofSession = sessionCommands(session, nowMs);
  const ofTransfers = transferCommands(transfers, () => openAccount().drive.changes.pendingCount);
  return {
    ...ofSession,
    boot(args) {
      void sweepDownloads().catch(() => undefined); // Tried again at the next start.
      return ofSession.boot(args);
    },
    ...credentialCommands(credentials, deviceStore),
    ...driveCommands(view, {
      vault,
      drive: () => openAccount().drive,
      device: () => openAccount().localAccount.device.id,
      sync() {
        openAccount().drive.sync();
      },
      nowMs,
    }),
    ...ofTransfers,
    'upload/wake'(args) {
      session.look();
      return ofTransfers['upload/wake'](args);
    },
  };
}
