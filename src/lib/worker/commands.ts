import { generatePassphrase, judgePassphrase } from '../account/passphrase.ts';
import { connectBroker } from '../remote/broker.ts';
import { steadySession } from '../remote/steady-session.ts';
import { storageUse } from '../store/opfs.ts';
import { noteKept, noteUnkept, unkeptParts } from '../store/kit-note.ts';
import { toFailure } from '../transfer/ledger.ts';
import { sweepDownloads } from '../transfer/download/sink.ts';
import { createTransfers } from '../transfer/transfers.ts';
import { compareHeadPhrase } from './drive/head-check.ts';
import { otherDevices } from './drive/other-devices.ts';
import type { CommandName, Commands, Report } from './protocol.ts';
import { purgeFile } from './drive/purge.ts';
import { recover } from './entry/recover.ts';
import { Renewal } from './renewal.ts';
import { Session } from './session/session.ts';
import { SignIn } from './entry/sign-in.ts';
import { SignUp } from './entry/sign-up.ts';
import { UnsafeTransfers } from './unsafe-transfers.ts';
import { View } from './drive/view.ts';

/** What answers each command. */
export type Handlers = {
  readonly [Name in CommandName]: (
    args: Commands[Name]['args'],
  ) => Commands[Name]['result'] | Promise<Commands[Name]['result']>;
};

/** Puts the rooms together: session, flows, list and transfers. */
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
  const session = new Session({
    origin,
    broker: steadySession(connectBroker(origin), navigator.locks),
    nowMs,
    report,
    onDrive(drive) {
      view.look(drive);
      if (drive) transfers.open(session.home().database);
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
      renewal.clear();
    },
    onIdle() {
      renewal.clear();
    },
    mayClose: () => unsafe.size === 0,
  });
  const { broker, resting } = session;
  const transfers = createTransfers({
    vault: () => session.vault(),
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
  });
  const signUp = new SignUp(broker, nowMs);
  const signIn = new SignIn(broker, resting, nowMs);
  const renewal = new Renewal({ broker, resting, home: () => session.home() });
  const enter = (entry: Parameters<Session['enter']>[0]) => session.enter(entry);

  return {
    boot() {
      void sweepDownloads().catch(() => undefined); // Tried again at the next start.
      return session.boot();
    },
    'sign-up/start': (args) => signUp.start(args),
    'sign-up/verify': ({ code }) =>
      signUp.verify(code, async (entry) => {
        await enter(entry);
        // Without room for the note, what is about to be shown matters more.
        await noteUnkept(await resting.database(), 'words', 'backup-codes').catch(() => undefined);
      }),
    'passphrase/judge': async ({ passphrase, userName }) => ({
      score: await judgePassphrase(passphrase, userName),
    }),
    'passphrase/generate': async () => ({ passphrase: await generatePassphrase() }),
    'sign-in/start': (args) => signIn.start(args),
    'sign-in/reenrol': (args) => signIn.reenrol(args),
    'sign-in/code': ({ factor }) =>
      signIn.code(factor, async (entry, hasLostCodes) => {
        await enter(entry);
        if (hasLostCodes) await noteUnkept(await resting.database(), 'backup-codes').catch(() => undefined);
      }),
    'reenrolment/stop': () => session.home().stopReenrolment(),
    recover: async (args) => enter(await recover(args, { broker, resting, nowMs })),
    'renewal/prove': (args) => renewal.prove(args),
    'renewal/backup-codes': () => renewal.backupCodes(),
    'renewal/kit': () => renewal.kit(),
    'renewal/accept': () => renewal.accept(),
    'renewal/authenticator': () => renewal.authenticator(),
    'renewal/authenticator-confirm': (args) => renewal.confirmAuthenticator(args),
    'renewal/passphrase': (args) => renewal.passphrase(args),
    'renewal/devices': () => renewal.devices(),
    'renewal/revoke': (args) => renewal.revoke(args),
    'renewal/end': () => {
      renewal.clear();
    },
    'kit/read': async () => ({ unkept: await unkeptParts(await resting.database()) }),
    'kit/kept': async () => noteKept(await resting.database(), 'words', 'backup-codes'),
    unlock: ({ factor }) => session.unlock(factor),
    lock: () => {
      session.lock();
    },
    async 'sign-out'() {
      signUp.clear();
      signIn.clear();
      await session.signOut();
    },
    'head/compare': async ({ phrase }) => ({
      verdict: await compareHeadPhrase(session.vault(), phrase),
    }),
    async 'file/rename'({ file, name }) {
      const home = session.home();
      await home.changes.rename(file, name);
      home.sync();
    },
    'changes/heard': ({ keys }) => session.home().changes.heard(keys),
    'start/read': async () => ({ asksPassphrase: await session.asksPassphrase() }),
    'start/write': ({ passphrase }) => session.askPassphrase(passphrase),
    'start/open': ({ passphrase }) => session.open(passphrase),
    'view/set': (query) => {
      view.set(query);
    },
    'view/rows': ({ from, count }) => view.rows(from, count),
    active: () => {
      session.active();
    },
    'upload/add': ({ files }) => {
      transfers.add(files);
    },
    'who/read': () => {
      const { journal, resident } = session.home();
      return { otherDevices: otherDevices(journal.state, resident.device.id).map(({ name }) => name) };
    },
    'upload/again': ({ transfer, file }) => transfers.again(transfer, file),
    'upload/wake': () => {
      transfers.wake();
    },
    'settings/read': () => transfers.settings(),
    'settings/write': (settings) => transfers.set(settings),
    'storage/read': async () => ({
      ...(await storageUse()),
      ...transfers.held(),
      pendingNames: session.home().changes.names.size,
    }),
    'file/keep': ({ file, keep }) => transfers.keep(file, keep),
    'transfer/cancel': ({ transfer }) => transfers.cancel(transfer),
    'transfer/retry': ({ transfer }) => {
      transfers.retry(transfer);
    },
    'transfer/dismiss': ({ transfer }) => transfers.dismiss(transfer),
    'download/stream': ({ file, form }) => transfers.stream(file, form),
    'download/write': ({ file, form, handle }) => transfers.write(file, form, handle),
    'file/preview': ({ file }) => transfers.preview(file),
    'file/purge': ({ file, factor }) => purgeFile(session.vault(), file, factor),
  };
}
