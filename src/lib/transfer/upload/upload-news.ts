import type { TransferPhase } from '../../protocol/transfer.ts';

/** What tabs and service worker tell each other of uploads. Names and keys are none of it. */
export type UploadNewsMessage =
  /** How far anyone who sends it has come. */
  | {
      readonly kind: 'progress';
      readonly blob: string;
      readonly phase: Exclude<TransferPhase, 'failed' | 'waiting-for-network'>;
      readonly doneBytes: number;
    }
  /** What is stored of it has changed: look. */
  | { readonly kind: 'changed'; readonly blob: string }
  /** What is kept on this device is another now. */
  | { readonly kind: 'kept' }
  | { readonly kind: 'ended'; readonly blob: string; readonly how: 'done' | 'cancelled' };

export interface UploadNews {
  tell(message: UploadNewsMessage): void;
  close(): void;
}

const CHANNEL = 'halfkey-uploads';

/** @param onMessage hears what the others say, and nothing of what is told here */
export function joinUploadNews(onMessage: (message: UploadNewsMessage) => void): UploadNews {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }: MessageEvent<UploadNewsMessage>) => {
    onMessage(data);
  };
  return {
    tell: (message) => {
      channel.postMessage(message);
    },
    close: () => {
      channel.close();
    },
  };
}
