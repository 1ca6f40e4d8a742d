const MAX_NAME_OCTETS = 200;

/**
 * A file name as it may be written into a header or offered for saving: the last path segment, without control
 * characters, direction overrides (`gpj.exe` shown as `exe.jpg`) and leading dots or blanks, at most 200 octets with the
 * ending kept. `fallback` when nothing is left.
 */
export function safeFileName(name: string, fallback: string): string {
  const segment = name.toWellFormed().normalize('NFC').split(/[/\\]/).at(-1) ?? '';
  const clean = segment
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+/gu, '')
    .replace(/^[.\s]+/, '')
    .trim();
  return clean === '' ? fallback : shorten(clean);
}

function shorten(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_OCTETS) return name;
  const ending = /\.[^.\s]{1,20}$/u.exec(name)?.[0] ?? '';
  let stem = '';
  let octets = Buffer.byteLength(ending);
  for (const char of name.slice(0, name.length - ending.length)) {
    octets += Buffer.byteLength(char);
    if (octets > MAX_NAME_OCTETS) break;
    stem += char;
  }
  return stem + ending;
}
