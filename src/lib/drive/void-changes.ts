import type { VoidSegment } from '../journal/chain.ts';
import type { FoldedVault } from '../journal/state/folded-vault.ts';
import type { VoidChanges } from '../protocol/drive.ts';

/**
 * Segments that count for nothing, as they are told of: by the device that is named as their writer, and whether that
 * is proven.
 */
export function voidChanges(state: FoldedVault, voided: readonly VoidSegment[]): VoidChanges[] {
  const alike = new Map<string, VoidChanges>();
  for (const { writer, isSigned } of voided) {
    const device = writer === undefined ? undefined : state.devices.get(writer)?.name;
    const key = `${String(isSigned)} ${writer ?? ''}`;
    const count = (alike.get(key)?.count ?? 0) + 1;
    alike.set(key, { isSigned, count, ...(device !== undefined && { device }) });
  }
  return [...alike.values()];
}
