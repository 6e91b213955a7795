import { describe, expect, it } from 'vitest';
import type { TransferPhase } from '../../src/lib/protocol/transfer.ts';
import {
  moves,
  nextTryWords,
  silenceWords,
  transfersTitle,
  transferWords,
  type Line,
} from '../../src/lib/ui/texts/en/transfers.ts';

const ONLINE: Line = { wifiOnly: false, isOffline: false };
const OFFLINE: Line = { wifiOnly: false, isOffline: true };

const PHASES = {
  waiting: true,
  'waiting-for-network': true,
  'waiting-for-file': true,
  'waiting-for-code': true,
  paused: true,
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
    const words = transferWords(state, { wifiOnly: state.wifiOnly, isOffline: false });
    expect(words).toMatch(/^[A-Z]/);
    expect(words).not.toMatch(/saved|stored|safe|undefined/i);
  });

  it('says that what is sealed goes up by itself, and when', () => {
    const sealed = { phase: 'waiting-for-network', direction: 'up', isSafe: true } as const;
    expect(transferWords(sealed, OFFLINE)).toBe('Encrypted on this device. Will upload when you are online.');
    expect(transferWords(sealed, { ...OFFLINE, wifiOnly: true })).toContain(
      'Will upload when you are on Wi-Fi.',
    );
  });

  it.each([
    ['server', 'Encrypted on this device. The server isn’t answering.'],
    ['store', 'Encrypted on this device. The file storage isn’t answering.'],
  ] as const)('calls nobody offline who is not, when it is the %s that does not answer', (why, words) => {
    const held = { phase: 'waiting-for-network', direction: 'up', isSafe: true, holdup: { why } } as const;
    expect(transferWords(held, ONLINE)).toBe(words);
    expect(transferWords({ ...held, isSafe: false }, ONLINE)).toContain('keep this page open');
    expect(transferWords(held, OFFLINE)).toContain('when you are online');
    expect(silenceWords(held.holdup, ONLINE)).toBeDefined();
    expect(silenceWords(held.holdup, OFFLINE)).toBeUndefined();
  });

  it('says of a download who does not answer, or that it goes on by itself', () => {
    const held = { phase: 'waiting-for-network', direction: 'down', isSafe: false } as const;
    const silent = { ...held, holdup: { why: 'store' } } as const;
    expect(transferWords(silent, ONLINE)).toBe('The file storage isn’t answering.');
    expect(transferWords(silent, OFFLINE)).toBe('Will continue when you are online.');
  });

  it('waits for another line where this one is not to be used', () => {
    const metered = {
      phase: 'waiting-for-network',
      direction: 'up',
      isSafe: true,
      holdup: { why: 'metered' },
    } as const;
    const line = { ...ONLINE, wifiOnly: true };
    expect(transferWords(metered, line)).toBe('Encrypted on this device. Will upload when you are on Wi-Fi.');
    expect(silenceWords(metered.holdup, line)).toBeUndefined();
  });

  it.each([
    [undefined, 'Trying again now.'],
    [1_000, 'Trying again now.'],
    [20_500, 'Trying again in 20 s.'],
    [601_000, 'Trying again in 10 minutes.'],
  ])('says when it is tried again: %s', (nextTryAtMs, words) => {
    const holdup = { why: 'server', ...(nextTryAtMs !== undefined && { nextTryAtMs }) } as const;
    expect(nextTryWords(holdup, 1_000)).toBe(words);
  });

  it('does not say of what is only in memory that it rests on this device', () => {
    const streamed = { phase: 'waiting-for-network', direction: 'up', isSafe: false } as const;
    expect(transferWords(streamed, OFFLINE)).not.toContain('Encrypted on this device');
    expect(transferWords(streamed, OFFLINE)).toContain('keep this page open');
  });

  it.each(['waiting', 'encrypting'] as const)('asks for the page while %s, until it is sealed', (phase) => {
    expect(transferWords({ phase, direction: 'up', isSafe: false }, ONLINE)).toContain('keep this page open');
    expect(transferWords({ phase, direction: 'up', isSafe: true }, ONLINE)).not.toContain('page');
    expect(transferWords({ phase, direction: 'down', isSafe: false }, ONLINE)).not.toContain('page');
  });

  it('says of what a full device refused that it was not taken in', () => {
    const failed = { phase: 'failed', direction: 'up', isSafe: true } as const;
    expect(transferWords({ ...failed, error: { code: 'device_full', detail: {} } }, ONLINE)).toBe(
      'Not added',
    );
    expect(transferWords({ ...failed, error: { code: 'store_full', detail: {} } }, ONLINE)).toBe('Failed');
  });

  it('says of what the browser was given no more than that', () => {
    const done = { phase: 'done', direction: 'down', isSafe: true } as const;
    expect(transferWords({ ...done, isHandedOver: true }, ONLINE)).toBe('Sent to your browser’s downloads');
    expect(transferWords(done, ONLINE)).toBe('Done');
  });

  it('says what a code would bring, and only of a whole upload that it is up', () => {
    const waiting = { phase: 'waiting-for-code', direction: 'up' } as const;
    expect(transferWords({ ...waiting, isSafe: true }, ONLINE)).toBe(
      'Uploaded. Appears in your drive after the next code.',
    );
    expect(transferWords({ ...waiting, isSafe: false }, ONLINE)).not.toMatch(/^Uploaded/);
    expect(transferWords({ ...waiting, isSafe: true, restsHere: true }, ONLINE)).toBe(
      'Encrypted on this device. Continues after the next code.',
    );
  });

  it('asks for the file again where it was not taken in', () => {
    expect(transferWords({ phase: 'waiting-for-file', direction: 'up', isSafe: false }, ONLINE)).toBe(
      'Only partly read: pick the same file again.',
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
    const none = { underWay: 0, resting: 0, paused: 0, failed: 0, uploaded: 0, downloaded: 0 };
    expect(transfersTitle({ ...none, ...some })).toBe(title);
  });
});
