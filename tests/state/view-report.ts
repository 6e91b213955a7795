import { TOP, type DriveReport } from '../../src/lib/protocol/drive.ts';

type ViewReport = Extract<DriveReport, { kind: 'view' }>;

/** What the worker says of the top folder. */
export function viewReport(said: Partial<ViewReport>): ViewReport {
  return {
    ...{ kind: 'view', revision: 1, place: { kind: 'folder', folder: TOP } },
    ...{ total: 0, files: 0, sizeBytes: 0, all: 0, crumbs: [], isMissing: false },
    ...said,
  };
}
