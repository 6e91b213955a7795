import { afterEach, describe, expect, it } from 'vitest';
import {
  joinUploadNews,
  type UploadNews,
  type UploadNewsMessage,
} from '../../../src/lib/transfer/upload/upload-news.ts';
import { until } from '../../support/until.ts';

const open: UploadNews[] = [];

afterEach(() => {
  for (const news of open.splice(0)) news.close();
});

function join() {
  const heard: UploadNewsMessage[] = [];
  const news = joinUploadNews((message) => heard.push(message));
  open.push(news);
  return { news, heard };
}

describe('news of uploads', () => {
  it('are heard by all tabs but the one that tells them, in their order', async () => {
    const teller = join();
    const others = [join(), join()];
    const told: UploadNewsMessage[] = [
      { kind: 'progress', blob: 'a', phase: 'uploading', doneBytes: 7 },
      { kind: 'changed', blob: 'a' },
      { kind: 'ended', blob: 'a', how: 'done' },
      { kind: 'kept' },
    ];
    for (const message of told) teller.news.tell(message);
    await until(() => others.every(({ heard }) => heard.length === told.length));
    expect(others.map(({ heard }) => heard)).toEqual([told, told]);
    expect(teller.heard).toEqual([]);
  });

  it('are heard no more by who has left', async () => {
    const [teller, gone, here] = [join(), join(), join()];
    gone.news.close();
    teller.news.tell({ kind: 'kept' });
    await until(() => here.heard.length > 0);
    expect(gone.heard).toEqual([]);
  });
});
