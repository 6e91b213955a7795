import { beforeEach, describe, expect, it } from 'vitest';
import { HalfkeyError } from '../../src/lib/errors.ts';
import type { Report } from '../../src/lib/protocol/commands.ts';
import { SessionReporter } from '../../src/lib/session/session-reporter.ts';

let reports: Report[];
let reporter: SessionReporter;

beforeEach(() => {
  reports = [];
  reporter = new SessionReporter((report) => reports.push(report));
});

it('tells of the connection when it is another than before, and first of all', () => {
  for (const online of [true, true, false, false, true]) reporter.connection(online);
  expect(reports).toEqual([
    { kind: 'connection', online: true },
    { kind: 'connection', online: false },
    { kind: 'connection', online: true },
  ]);
});

describe('an alarm', () => {
  const rollback = new HalfkeyError('rollback', 'a message of ours', { detail: { seq: 7 } });

  it('goes off once, with its code and what explains it, and nothing else of the error', () => {
    reporter.alarm(rollback);
    reporter.alarm(new HalfkeyError('rollback', 'again'));
    expect(reports).toEqual([{ kind: 'alarm', failure: { code: 'rollback', detail: { seq: 7 } } }]);
  });

  it('of another kind goes off, too', () => {
    reporter.alarm(rollback);
    reporter.alarm(new HalfkeyError('fork', 'x'));
    expect(reports).toHaveLength(2);
  });

  it('goes off again once somebody has come in anew', () => {
    reporter.alarm(rollback);
    reporter.forgetAlarm();
    reporter.alarm(rollback);
    expect(reports).toHaveLength(2);
  });

  it('that this is no member of the vault any more is the one that there is no vault', () => {
    reporter.alarm(new HalfkeyError('not_a_member', 'x'));
    reporter.alarm(new HalfkeyError('vault_missing', 'x'));
    expect(reports).toEqual([{ kind: 'alarm', failure: { code: 'vault_missing', detail: {} } }]);
  });

  it('of a fault of ours is internal', () => {
    reporter.alarm(new TypeError('x is undefined'));
    expect(reports).toEqual([{ kind: 'alarm', failure: { code: 'internal', detail: {} } }]);
  });
});
