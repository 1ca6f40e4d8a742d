import { h } from '../../reader/webview/dom.ts';

/** A picture as it came, as the host has looked at it. */
export interface RawPicture {
  readonly mimeType: string;
  readonly content: Uint8Array;
}

/** The middle of a picture as a square of pixels; rejects for what cannot be decoded. No octet of the file itself is in it. */
export async function square({ mimeType, content }: RawPicture, side: number): Promise<HTMLCanvasElement> {
  const bitmap = await createImageBitmap(new Blob([content.slice()], { type: mimeType }));
  const edge = Math.min(bitmap.width, bitmap.height);
  const canvas = h('canvas', { width: String(side), height: String(side) });
  const pen = canvas.getContext('2d');
  if (pen) {
    pen.imageSmoothingQuality = 'high';
    pen.drawImage(bitmap, (bitmap.width - edge) / 2, (bitmap.height - edge) / 2, edge, edge, 0, 0, side, side);
  }
  bitmap.close();
  return canvas;
}

/** Pixels of a side of what is sent to others. */
const SENT_SIDE = 256;

/** The same as the octets of a WebP file; undefined for what cannot be decoded. */
export async function squareFile(picture: RawPicture): Promise<Uint8Array | undefined> {
  const canvas = await square(picture, SENT_SIDE).catch(() => undefined);
  if (!canvas) return undefined;
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/webp', 0.9));
  return blob ? new Uint8Array(await blob.arrayBuffer()) : undefined;
}
