import type { Localiser } from '../../../src/views/present.ts';

/** English as it stands in the source, with its arguments filled in like vscode.l10n does. */
export const plain: Localiser = {
  t: (message, ...args) =>
    message.replace(/\{(\d+)\}/g, (whole, index: string) => (args[Number(index)] === undefined ? whole : String(args[Number(index)]))),
};
