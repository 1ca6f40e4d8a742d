/** An address as it stands in a draft: `Name <a@b>`, the name quoted where RFC 5322 wants it, without line breaks. */
export function addressText({ name, address }: { readonly name: string; readonly address: string }): string {
  const plain = name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  if (plain === '' || plain === address) return address;
  const atoms = /^[\p{L}\p{N}\p{M} !#$%&'*+\-/=?^_`{|}~]+$/u.test(plain);
  return `${atoms ? plain : `"${plain.replace(/["\\]/g, '\\$&')}"`} <${address}>`;
}
