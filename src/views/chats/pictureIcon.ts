import type { Safety } from './chatText.ts';
import type { GroupPicture } from './chatPictures.ts';

/** A picture of more octets is no icon: rows are drawn often, and each carries it along. */
const MAX_OCTETS = 96 * 1024;

const SIGNS: Readonly<Record<Safety['tone'], string>> = {
  good: '<circle cx="24" cy="24" r="8" fill="#fff"/><circle cx="24" cy="24" r="7" fill="#388a34"/><path d="M20.5 24.2l2.5 2.5 4.6-5" fill="none" stroke="#fff" stroke-width="1.8"/>',
  mixed:
    '<circle cx="24" cy="24" r="8" fill="#fff"/><path d="M24 17a7 7 0 0 0 0 14z" fill="#388a34"/><circle cx="24" cy="24" r="6" fill="none" stroke="#388a34" stroke-width="1.6"/>',
  open: '',
};

/**
 * The address of an icon: the picture of a group in a circle, with the sign of who is verified. A `data:` address, so that nothing unsealed is
 * written to disk. Undefined where the picture is too large for a row.
 */
export function pictureIcon({ mimeType, content, width, height }: GroupPicture, tone: Safety['tone']): string | undefined {
  if (content.byteLength > MAX_OCTETS || width > 2048 || height > 2048) return undefined;
  const picture = `data:${mimeType};base64,${Buffer.from(content).toString('base64')}`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32" viewBox="0 0 32 32"><clipPath id="c"><circle cx="16" cy="16" r="15"/></clipPath><image href="${picture}" x="1" y="1" width="30" height="30" preserveAspectRatio="xMidYMid slice" clip-path="url(#c)"/>${SIGNS[tone]}</svg>`;
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
}
