/** What is wrong with what was typed as a code, as sentences. */
export const CODE_FAULTS = {
  length: (digits: number) => `A code has six digits. This has ${String(digits)}.`,
  letters: 'A code has only digits, no letters.',
  empty: 'Enter the six digits that your app shows.',
} as const;

/** And as a backup code. */
export const BACKUP_CODE_FAULTS = {
  character: (character: string) =>
    `Backup codes never contain “${character}”. Check that character on your sheet.`,
  length: (characters: number) => `A backup code has 16 letters and digits. This has ${String(characters)}.`,
  empty: 'Enter one of the backup codes on your sheet.',
} as const;
