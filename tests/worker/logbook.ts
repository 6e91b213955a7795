import type { Report } from '../../src/lib/protocol/commands.ts';

/** A rename that was tried. No device tries the same name for the same file twice. */
export interface TriedRename {
  /** Id of the device. */
  readonly device: string;
  readonly file: string;
  readonly name: string;
  isAcknowledged: boolean;
}

/** An upload that was tried. Its size is its own among all: it tells the file wherever it shows. */
export interface TriedUpload {
  readonly name: string;
  readonly sizeBytes: number;
  /** Whether the page was told that the tab may be closed without losing it. */
  isAcknowledged: boolean;
  /** As far as the page has said it. */
  file?: string;
}

/** A file that somebody tried to delete for good. */
interface TriedPurge {
  readonly file: string;
  /** What it was refused with; undefined until it is answered, `done` once it is. */
  outcome?: string;
}

/** All that was tried, in all tabs, and what they said by themselves. */
export class Logbook {
  readonly renames: TriedRename[] = [];
  readonly uploads: TriedUpload[] = [];
  readonly purges: TriedPurge[] = [];
  /** What was not expected: alarms, and transfers that failed. */
  readonly trouble: string[] = [];
  readonly counts = { reloads: 0, locks: 0, unlocks: 0 };
  #numbers = 0;

  /** A number of its own. */
  next(): number {
    return ++this.#numbers;
  }

  hear(report: Report): void {
    if (report.kind === 'alarm') {
      this.trouble.push(`alarm ${report.failure.code} ${JSON.stringify(report.failure.detail)}`);
    } else if (report.kind === 'transfer') {
      this.trouble.push(`upload ${report.transfer.name}: ${report.transfer.error?.code ?? ''}`);
    }
  }

  /** Whether somebody has tried it before. */
  knows(file: string, name: string): boolean {
    return this.renames.some((tried) => tried.file === file && tried.name === name);
  }
}
