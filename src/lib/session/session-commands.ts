import { generatePassphrase, judgePassphrase } from '../account/passphrase.ts';
import type { HandlersOf } from '../protocol/commands.ts';
import type { SessionCommands } from '../protocol/session.ts';
import { noteUnkept } from '../store/kit-note.ts';
import { readLetterKeys, saveLetterKeys } from '../store/letter-keys.ts';
import { requireOpfs } from '../store/opfs.ts';
import type { Entry } from './entry/entry.ts';
import { recover } from './entry/recover.ts';
import { SignIn } from './entry/sign-in.ts';
import { SignUp } from './entry/sign-up.ts';
import type { Session } from './session.ts';

/** Answers what signs up, in and out, and what locks and opens. */
export function sessionCommands(session: Session, nowMs: () => number): HandlersOf<SessionCommands> {
  const { broker, deviceStore } = session;
  const signUp = new SignUp(broker, nowMs);
  const signIn = new SignIn(broker, deviceStore, nowMs);
  const enter = (entry: Entry) => session.enter(entry);

  return {
    boot: () => session.boot(),
    'sign-up/check': () => requireOpfs(),
    'sign-up/start': async (args) => {
      await requireOpfs();
      await session.endLeft();
      return signUp.start(args);
    },
    'sign-up/verify': ({ code }) =>
      signUp.verify(code, async (entry) => {
        await enter(entry);
        // Without room for the note, what is about to be shown matters more.
        await noteUnkept(await deviceStore.database(), 'words', 'backup-codes').catch(() => undefined);
      }),
    'passphrase/judge': async ({ passphrase, userName }) => ({
      score: await judgePassphrase(passphrase, userName),
    }),
    'passphrase/generate': async () => ({ passphrase: await generatePassphrase() }),
    'sign-in/start': async (args) => {
      await session.endLeft();
      await signIn.start(args);
    },
    'sign-in/reset-factor': (args) => signIn.resetFactor(args),
    'sign-in/code': ({ factor }) =>
      signIn.code(factor, async (entry, hasLostCodes) => {
        await enter(entry);
        if (hasLostCodes)
          await noteUnkept(await deviceStore.database(), 'backup-codes').catch(() => undefined);
      }),
    'factor-reset/stop': () => session.openAccount().stopFactorReset(),
    recover: async (args) => {
      await session.endLeft();
      await enter(await recover(args, { broker, deviceStore, nowMs }));
    },
    unlock: ({ factor, files }) => session.unlock(factor, files),
    lock: () => {
      session.lock();
    },
    async 'sign-out'() {
      signUp.clear();
      signIn.clear();
      await session.signOut();
    },
    active: () => {
      session.active();
    },
    'letter-keys/read': async () => ({ isOn: await readLetterKeys(await deviceStore.database()) }),
    'letter-keys/write': async ({ isOn }) => saveLetterKeys(await deviceStore.database(), isOn),
    'start/read': async () => ({ asksPassphrase: await session.asksPassphrase() }),
    'start/write': ({ passphrase }) => session.askPassphrase(passphrase),
    'start/open': ({ passphrase }) => session.open(passphrase),
  };
}
