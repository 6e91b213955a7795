import { expect, test } from 'vitest';
import type { TransferPhase, TransferReport } from '../../../src/lib/protocol/transfer.ts';
import TransfersPanel from '../../../src/lib/ui/transfers/TransfersPanel.svelte';
import { mounts, seen } from './mounted.svelte.ts';

const nothing = () => undefined;

/** The panel with one file on its way up, as far as that. */
function panel(phase: TransferPhase, sparedPlace: 'Dock' | 'home screen' | undefined): string {
  const transfer: TransferReport = {
    ...{ transfer: 't', direction: 'up', name: 'letter.txt', phase, isSafe: true, canRetry: false },
    ...{ doneBytes: 0, totalBytes: 10, sizeBytes: 10, bytesPerSecond: undefined, secondsLeft: undefined },
  } as never;
  const props = {
    transfers: [transfer],
    counts: {
      ...{ all: 1, underWay: 0, resting: 1, waitingForCode: 0 },
      ...{ failed: 0, uploaded: 0, downloaded: 0, atRisk: 0 },
    },
    line: { wifiOnly: false, isOffline: true },
    sparedPlace,
    ...{ onagain: nothing, oncancel: nothing, onretry: nothing, ondismiss: nothing },
    ...{ ondismissdone: nothing, onunlock: nothing, ontrynow: nothing },
  };
  return seen(mounts(TransfersPanel as never, props));
}

test.each([
  ['waiting-for-network', 'home screen', 'apps on your home screen'],
  ['waiting-for-network', 'Dock', 'apps in your Dock'],
] as const)(
  'a file that is %s in Safari, which spares the %s, is said to be in danger',
  (phase, place, words) => {
    expect(panel(phase, place)).toContain(
      `Safari deletes what’s stored here if you don’t open Halfkey for seven days. It doesn’t do that to ${words}.`,
    );
  },
);

test.each([
  ['waiting-for-network', undefined],
  ['uploading', 'home screen'],
  ['waiting-for-code', 'home screen'],
] as const)('nothing is said of that where a file is %s, and the spared place %s', (phase, place) => {
  expect(panel(phase, place)).not.toContain('Safari');
});
