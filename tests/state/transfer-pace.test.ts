import { describe, expect, it } from 'vitest';
import type { TransferReport } from '../../src/lib/protocol/transfer.ts';
import { TransferMeter } from '../../src/lib/state/transfer-pace.ts';

const report = (doneBytes: number, phase: TransferReport['phase'] = 'uploading', totalBytes = 1000) =>
  ({ transfer: 't', phase, doneBytes, totalBytes }) as TransferReport;

describe('how fast all transfers go together', () => {
  it('is the mean of the last five seconds, and says how long it takes', () => {
    const meter = new TransferMeter();
    expect(meter.sample([report(0)], 0)).toEqual({ done: 0, all: 1, doneBytes: 0, totalBytes: 1000 });
    expect(meter.sample([report(100)], 500)).not.toHaveProperty('bytesPerSecond');
    expect(meter.sample([report(200)], 1000)).toMatchObject({ bytesPerSecond: 200, secondsLeft: 4 });
    for (let second = 2; second <= 6; second++) meter.sample([report(200)], second * 1000);
    expect(meter.sample([report(200)], 7000)).not.toHaveProperty('bytesPerSecond');
  });

  it('counts many small ones that are over at once', () => {
    const meter = new TransferMeter();
    const all = Array.from({ length: 60 }, () => report(0, 'waiting', 10));
    meter.sample(all, 0);
    const later = all.map((each, index) => (index < 30 ? report(0, 'done', 10) : each));
    expect(meter.sample(later, 2000)).toEqual({
      ...{ done: 30, all: 60, doneBytes: 300, totalBytes: 600, bytesPerSecond: 150, secondsLeft: 2 },
    });
  });

  it('leaves out what failed or was cancelled, and begins anew where bytes are gone', () => {
    const meter = new TransferMeter();
    const ended = [report(500, 'failed'), report(500, 'cancelled')];
    expect(meter.sample([report(500), ...ended], 0)).toMatchObject({ all: 1, doneBytes: 500 });
    expect(meter.sample([report(100)], 2000)).not.toHaveProperty('bytesPerSecond');
    expect(meter.sample([report(300)], 4000)).toMatchObject({ bytesPerSecond: 100 });
  });
});
