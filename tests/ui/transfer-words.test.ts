import { describe, expect, it } from 'vitest';
import type { TransferPhase } from '../../src/lib/protocol/transfer.ts';
import { moves, transfersTitle, transferWords } from '../../src/lib/ui/transfers/transfer-words.ts';

const PHASES = {
  waiting: true,
  'waiting-for-network': true,
  'waiting-for-file': true,
  'waiting-for-code': true,
  encrypting: true,
  uploading: true,
  verifying: true,
  downloading: true,
  done: true,
  cancelled: true,
  failed: true,
} as const satisfies Record<TransferPhase, true>;
const phases = Object.keys(PHASES) as TransferPhase[];
const everyState = phases.flatMap((phase) =>
  (['up', 'down'] as const).flatMap((direction) =>
    [true, false].flatMap((isSafe) =>
      [true, false].map((wifiOnly) => ({ phase, direction, isSafe, wifiOnly })),
    ),
  ),
);

describe('words for a transfer', () => {
  it.each(everyState)('of $direction $phase, safe $isSafe, never say that it is saved', (state) => {
    const words = transferWords(state, state.wifiOnly);
    expect(words).toMatch(/^[A-Z]/);
    expect(words).not.toMatch(/saved|stored|safe|undefined/i);
  });

  it('says that what is sealed goes up by itself, and when', () => {
    const sealed = { phase: 'waiting-for-network', direction: 'up', isSafe: true } as const;
    expect(transferWords(sealed, false)).toBe('Encrypted on this device. Will upload when you are online.');
    expect(transferWords(sealed, true)).toContain('online by Wi-Fi');
  });

  it('does not say of what is only in memory that it rests on this device', () => {
    const streamed = { phase: 'waiting-for-network', direction: 'up', isSafe: false } as const;
    expect(transferWords(streamed, false)).not.toContain('Encrypted on this device');
    expect(transferWords(streamed, false)).toContain('keep this page open');
  });

  it.each(['waiting', 'encrypting'] as const)('asks for the page while %s, until it is sealed', (phase) => {
    expect(transferWords({ phase, direction: 'up', isSafe: false }, false)).toContain('keep this page open');
    expect(transferWords({ phase, direction: 'up', isSafe: true }, false)).not.toContain('page');
    expect(transferWords({ phase, direction: 'down', isSafe: false }, false)).not.toContain('page');
  });

  it('says of what a full device refused that it was not taken in', () => {
    const failed = { phase: 'failed', direction: 'up', isSafe: true } as const;
    expect(transferWords({ ...failed, error: { code: 'device_full', detail: {} } }, false)).toBe(
      'Not taken in',
    );
    expect(transferWords({ ...failed, error: { code: 'store_full', detail: {} } }, false)).toBe('Failed');
  });

  it('says what a code would bring, and only of a whole upload that it is up', () => {
    const waiting = { phase: 'waiting-for-code', direction: 'up' } as const;
    expect(transferWords({ ...waiting, isSafe: true }, false)).toBe(
      'Uploaded. Appears in your drive after the next code.',
    );
    expect(transferWords({ ...waiting, isSafe: false }, false)).not.toMatch(/^Uploaded/);
  });

  it('asks for the file again where it was not taken in', () => {
    expect(transferWords({ phase: 'waiting-for-file', direction: 'up', isSafe: false }, false)).toBe(
      'Not taken in whole: pick the same file again.',
    );
  });

  it('has figures for what moves, and for nothing else', () => {
    expect(phases.filter((phase) => moves({ phase }))).toEqual([
      'encrypting',
      'uploading',
      'verifying',
      'downloading',
    ]);
  });
});

describe('the title over all transfers', () => {
  it.each([
    [{}, 'Nothing in progress'],
    [{ uploaded: 60 }, '60 files uploaded'],
    [{ uploaded: 2, downloaded: 1 }, '2 files uploaded, 1 downloaded'],
    [{ downloaded: 1 }, '1 file downloaded'],
    [{ underWay: 1, uploaded: 5 }, '1 file in progress'],
    [{ underWay: 2 }, '2 files in progress'],
    [{ underWay: 2, resting: 3 }, '2 files in progress, 3 waiting'],
    [{ underWay: 2, resting: 3, failed: 1 }, '2 files in progress, 3 waiting, 1 failed'],
    [{ resting: 1 }, '1 file waiting'],
    [{ resting: 1200, failed: 1100 }, '1,200 files waiting, 1,100 failed'],
    [{ failed: 1, uploaded: 2 }, '1 file failed'],
  ])('with %j is “%s”', (some, title) => {
    const none = { underWay: 0, resting: 0, failed: 0, uploaded: 0, downloaded: 0 };
    expect(transfersTitle({ ...none, ...some })).toBe(title);
  });
});
