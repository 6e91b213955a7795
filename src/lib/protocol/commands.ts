import type { CredentialCommands, CredentialReport } from './credentials.ts';
import type { DriveCommands, DriveReport } from './drive.ts';
import type { Failure } from './failure.ts';
import type { SessionCommands, SessionReport } from './session.ts';
import type { TransferCommands, TransferNotice } from './transfer.ts';

// What page and crypto worker say to each other. Commands go in, each is answered once; reports come out at any time.
// No key ever crosses this border; what must be shown once (the authenticator's secret, the recovery words, the backup
// codes) does, and is not kept on either side.

/** Every command with what it takes and what it answers. */
export type Commands = SessionCommands & CredentialCommands & DriveCommands & TransferCommands;

export type CommandName = keyof Commands;

/** What the worker says by itself. */
export type Report = SessionReport | CredentialReport | DriveReport | TransferNotice;

/** What answers the commands of a room: those of all rooms together answer every command. */
export type HandlersOf<Room> = {
  readonly [Name in keyof Room]: Room[Name] extends { args: infer Args; result: infer Result }
    ? (args: Args) => Result | Promise<Result>
    : never;
};

export type ToWorker = {
  [Name in CommandName]: {
    readonly id: number;
    readonly command: Name;
    readonly args: Commands[Name]['args'];
  };
}[CommandName];

export type FromWorker =
  | { readonly kind: 'answer'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: Failure }
  | { readonly kind: 'report'; readonly report: Report };
