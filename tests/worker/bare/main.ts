import { HalfkeyError, type ErrorDetail } from '../../../src/lib/errors.ts';
import { WorkerHost } from '../../../src/lib/worker/host.ts';
import type { CommandName, Commands, Report } from '../../../src/lib/protocol/commands.ts';

/** The page side of the worker and nothing else: what the tests speak to. */
export interface Bare {
  readonly reports: Report[];
  /** The newest report of a kind. */
  last(kind: Report['kind']): Report | undefined;
  send(command: string, args: unknown): Promise<{ result?: unknown; code?: string; detail?: ErrorDetail }>;
}

const reports: Report[] = [];
const host = new WorkerHost((report) => {
  reports.push(report);
});

const bare: Bare = {
  reports,
  last: (kind) => reports.findLast((report) => report.kind === kind),
  async send(command, args) {
    try {
      const name = command as CommandName;
      return { result: await host.send(name, args as Commands[typeof name]['args']) };
    } catch (error) {
      return error instanceof HalfkeyError
        ? { code: error.code, detail: error.detail }
        : { code: 'another error' };
    }
  },
};
Object.assign(globalThis, { bare });
