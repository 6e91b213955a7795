/** What a drag carries that began in a list of this drive: ids, as JSON. */
const ENTRIES_TYPE = 'application/x-halfkey-entries';

/** An entry's id in the journal. */
const ENTRY_ID = /^[\w-]{22}$/;

/** Whether a drag carries entries of the drive, or files from outside; the first where both are. */
export function carried(transfer: DataTransfer | null): 'entries' | 'files' | undefined {
  if (transfer?.types.includes(ENTRIES_TYPE)) return 'entries';
  return transfer?.types.includes('Files') ? 'files' : undefined;
}

export function packEntries(transfer: DataTransfer, entries: readonly string[]): void {
  transfer.setData(ENTRIES_TYPE, JSON.stringify(entries));
  transfer.effectAllowed = 'move';
}

/** The entries that were dropped; none when that is not what they look like: any page may have begun the drag. */
export function unpackEntries(transfer: DataTransfer | null): readonly string[] {
  try {
    const read: unknown = JSON.parse(transfer?.getData(ENTRIES_TYPE) ?? '');
    const isList =
      Array.isArray(read) && read.every((each) => typeof each === 'string' && ENTRY_ID.test(each));
    return isList ? (read as string[]) : [];
  } catch {
    return [];
  }
}
