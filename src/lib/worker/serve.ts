import { HalfkeyError } from '../errors.ts';
import { toFailure } from '../protocol/failure.ts';
import type { Handlers } from './wiring.ts';
import type { FromWorker, ToWorker } from '../protocol/commands.ts';

type Post = (message: FromWorker, transfer?: Transferable[]) => void;

/** Answers each command exactly once: with its result, or with the code of what went wrong and nothing else of it. */
export function serve(handlers: Handlers, post: Post): (event: MessageEvent<ToWorker>) => void {
  return ({ data }) => {
    void answer(handlers, data, post);
  };
}

async function answer(handlers: Handlers, { id, command, args }: ToWorker, post: Post): Promise<void> {
  try {
    // The message's type says that command and args belong together; TypeScript does not follow it through the table.
    const result = await (handlers[command] as (args: unknown) => unknown)(args);
    post({ kind: 'answer', id, result }, portsOf(result));
  } catch (error) {
    // A name says enough to find the place; a message of an error that is not ours could quote a value.
    if (!(error instanceof HalfkeyError)) console.error(`${command} failed: ${nameOf(error)}`);
    post({ kind: 'failure', id, failure: toFailure(error) });
  }
}

/** A stream's port goes over; everything else is copied. */
function portsOf(result: unknown): Transferable[] {
  const isStream = typeof result === 'object' && result !== null && 'port' in result;
  return isStream && result.port instanceof MessagePort ? [result.port] : [];
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
