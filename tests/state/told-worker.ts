import type { CryptoWorker } from '../../src/lib/platform/crypto-worker.ts';
import type { CommandName, Commands } from '../../src/lib/protocol/commands.ts';

type Answers = {
  [Name in CommandName]?: (
    args: Commands[Name]['args'],
  ) => Commands[Name]['result'] | Promise<Commands[Name]['result']>;
};

/**
 * A crypto worker that answers as it is told (with nothing, where nothing was said), and remembers what it was sent.
 */
export function toldWorker(answers: Answers = {}) {
  const sent: [CommandName, unknown][] = [];
  const send = async (name: CommandName, args: unknown): Promise<unknown> => {
    sent.push([name, args]);
    return await (answers[name] as ((args: unknown) => unknown) | undefined)?.(args);
  };
  return { worker: { send } as unknown as CryptoWorker, sent };
}
