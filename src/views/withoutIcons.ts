/**
 * Text of others for a row of a pick list, where VS Code draws `$(name)` as an icon: a name that brings the sign of the verified along must not
 * look verified.
 */
export function withoutIcons(text: string): string {
  return text.replaceAll('$(', '$ (');
}
