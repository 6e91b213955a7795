import { generatePassphrase, judgePassphrase } from '../account/passphrase.ts';
import { connectBroker } from '../remote/broker.ts';
import { sweepDownloads } from '../transfer/sink.ts';
import { createTransfers } from '../transfer/transfers.ts';
import type { CommandName, Commands, Report } from './protocol.ts';
import { purgeFile } from './purge.ts';
import { recover } from './recover.ts';
import { Session } from './session.ts';
import { SignIn } from './sign-in.ts';
import { SignUp } from './sign-up.ts';
import { View } from './view.ts';

/** What answers each command. */
export type Handlers = {
  readonly [Name in CommandName]: (
    args: Commands[Name]['args'],
  ) => Commands[Name]['result'] | Promise<Commands[Name]['result']>;
};

/** Puts the rooms together: session, flows, list and transfers. */
export function createHandlers(origin: string, report: (report: Report) => void): Handlers {
  const nowMs = () => Date.now();
  const view = new View(report);
  const session = new Session({
    origin,
    broker: connectBroker(origin),
    nowMs,
    report,
    onJournal(journal) {
      view.look(journal);
      if (!journal) transfers.clear();
    },
    onGrant() {
      transfers.grantBought();
    },
    onLockNow() {
      transfers.lockNow();
    },
  });
  const { broker, resting } = session;
  const transfers = createTransfers({
    vault: () => session.vault(),
    report(transfer) {
      report({ kind: 'transfer', transfer });
    },
    gone(transfer) {
      report({ kind: 'transfer-gone', transfer });
    },
    nowMs,
  });
  const signUp = new SignUp(broker, nowMs);
  const signIn = new SignIn(broker, resting, nowMs);
  const enter = (entry: Parameters<Session['enter']>[0]) => session.enter(entry);

  return {
    boot() {
      void sweepDownloads().catch(() => undefined); // Tried again at the next start.
      return session.boot();
    },
    'sign-up/start': (args) => signUp.start(args),
    'sign-up/verify': ({ code }) => signUp.verify(code, enter),
    'passphrase/judge': async ({ passphrase, userName }) => ({
      score: await judgePassphrase(passphrase, userName),
    }),
    'passphrase/generate': async () => ({ passphrase: await generatePassphrase() }),
    'sign-in/start': (args) => signIn.start(args),
    'sign-in/code': ({ factor }) => signIn.code(factor, enter),
    recover: async (args) => enter(await recover(args, { broker, resting, nowMs })),
    unlock: ({ factor }) => session.unlock(factor),
    lock: () => {
      session.lock();
    },
    async 'sign-out'() {
      signUp.clear();
      signIn.clear();
      await session.signOut();
    },
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
    'transfer/cancel': ({ transfer }) => {
      transfers.cancel(transfer);
    },
    'transfer/retry': ({ transfer }) => {
      transfers.retry(transfer);
    },
    'transfer/dismiss': ({ transfer }) => {
      transfers.dismiss(transfer);
    },
    'download/stream': ({ file, form }) => transfers.stream(file, form),
    'download/write': ({ file, form, handle }) => transfers.write(file, form, handle),
    'file/preview': ({ file }) => transfers.preview(file),
    'file/purge': ({ file, factor }) => purgeFile(session.vault(), file, factor),
  };
}
