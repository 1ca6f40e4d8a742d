/** `vscode.l10n`, or what stands in for it in a test. */
export interface Localiser {
  t(message: string, ...args: (string | number | boolean)[]): string;
}
