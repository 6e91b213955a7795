/** Whether all variants are wanted (`npm run test:full`), or those few that show in seconds what the long form shows. */
export const isLongForm = process.env['HALFKEY_FULL'] === '1';
